package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/rogpeppe/go-internal/testscript"
)

// murder kills what an operator would find with ps. Only processes that work in the script's folder or name it are asked.
func murder(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: murder word...")
	}
	folders, err := filepath.Glob("/proc/[0-9]*")
	ts.Check(err)
	for _, folder := range folders {
		pid, err := strconv.Atoi(filepath.Base(folder))
		if err == nil && pid != os.Getpid() && isMeant(ts, folder, strings.Join(args, " ")) {
			ts.Check(syscall.Kill(pid, syscall.SIGKILL))
			return
		}
	}
	ts.Fatalf("nobody is %q", args)
}

// isMeant says whether a process is one of the fleet's with these words.
func isMeant(ts *testscript.TestScript, folder, words string) bool {
	line, err := os.ReadFile(filepath.Join(folder, "cmdline"))
	if err != nil {
		return false
	}
	text := string(bytes.ReplaceAll(line, []byte{0}, []byte{' '}))
	place, _ := os.Readlink(filepath.Join(folder, "cwd"))
	fleet := ts.MkAbs("fleet")
	return strings.Contains(text, words) && (strings.Contains(text, fleet) || strings.HasPrefix(place, fleet))
}
