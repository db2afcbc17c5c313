// Command fill writes what the bench has measured into the tables of docs/performance.md: each cell carries the name of its figure in
// a comment. Run it in the folder of the module after `make bench` and `make bench SCALE=1`; what was not measured stays as it is.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/seckill-dev/seckill/loadtest/bench/report"
)

func main() {
	page := flag.String("page", "docs/performance.md", "what to fill")
	results := flag.String("results", "loadtest/results", "where bench.json and scale.json are")
	flag.Parse()
	if err := run(*page, *results, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "fill:", err)
		os.Exit(1)
	}
}

func run(page, results string, out io.Writer) error {
	cells := report.Cells{}
	for _, name := range []string{"bench.json", "scale.json"} {
		text, err := os.ReadFile(filepath.Join(results, name)) //nolint:gosec // the caller names the folder
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if err := cells.Read(text); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	text, err := os.ReadFile(page) //nolint:gosec // the caller names it
	if err != nil {
		return err
	}
	filled, count := cells.Fill(string(text))
	fmt.Fprintf(out, "%d cells filled\n", count)
	return os.WriteFile(page, []byte(filled), 0o644) //nolint:gosec // documentation is for everybody
}
