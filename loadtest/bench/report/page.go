package report

import (
	"fmt"
	"io"
)

// writePage writes the HTML page.
func (r *Report) writePage(out io.Writer) error {
	_, err := fmt.Fprintln(out, "<!doctype html>")
	return err
}
