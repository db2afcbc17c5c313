package main

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/alecthomas/kong"
)

// belowZero is how kong refuses a negative number for a flag that takes none, and then advises to quote it.
var belowZero = regexp.MustCompile(`^(--\S+): expected (?:uint value|a valid 64 bit uint) but got "(-\d[^"]*)"`)

// misunderstood makes what kong did not understand a sentence that leads on.
func misunderstood(err error) error {
	var wrong *kong.ParseError
	if !errors.As(err, &wrong) {
		return err
	}
	said := err.Error()
	if found := belowZero.FindStringSubmatch(said); found != nil {
		return fmt.Errorf("%s: takes no negative number, got %s", found[1], found[2])
	}
	if !strings.HasPrefix(said, "unexpected argument ") || strings.HasSuffix(said, "?") { // it has named the nearest ones
		return err
	}
	at := wrong.Context.Selected()
	if at == nil {
		at = wrong.Context.Model.Node
	}
	if len(at.Children) > 0 {
		return fmt.Errorf("%w; %s --help lists the commands", err, at.FullPath())
	}
	return fmt.Errorf("%w; %s --help says what it takes", err, at.FullPath())
}
