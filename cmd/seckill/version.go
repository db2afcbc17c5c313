package main

import (
	"fmt"
	"runtime"
)

type versionCommand struct{}

// Run implements the command.
func (versionCommand) Run(console console) error {
	_, err := fmt.Fprintf(console.out, "seckill %s (%s, %s/%s)\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}
