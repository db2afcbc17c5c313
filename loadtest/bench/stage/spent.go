package stage

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Spent is the processor time that everything below this process, and it itself, has used so far: by the name of the
// program, and for the product by the role. What has ended is not in it any more. It needs Linux.
func Spent() (map[string]time.Duration, error) {
	parents, err := parents()
	if err != nil {
		return nil, err
	}
	spent := make(map[string]time.Duration)
	for pid := range parents {
		if !descends(parents, pid, os.Getpid()) {
			continue
		}
		if used, err := CPU(pid); err == nil { // it may have ended
			spent[programOf(pid)] += used
		}
	}
	return spent, nil
}

// parents are the parents of all processes.
func parents() (map[int]int, error) {
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("list the processes: %d found: %w", len(files), err)
	}
	found := make(map[int]int, len(files))
	for _, file := range files {
		text, err := os.ReadFile(file) //nolint:gosec // one of the kernel's
		if err != nil {
			continue // it has ended
		}
		_, after, _ := strings.Cut(string(text), ") ")
		const parent = 1
		if fields := strings.Fields(after); len(fields) > parent {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
			found[pid], _ = strconv.Atoi(fields[parent])
		}
	}
	return found, nil
}

func descends(parents map[int]int, pid, from int) bool {
	for range len(parents) { // a process that has ended meanwhile may close a circle
		if pid == from {
			return true
		}
		if pid = parents[pid]; pid == 0 {
			return false
		}
	}
	return false
}

// programOf is what a process is called: the role for the product, "bench" for this one, which makes the load.
func programOf(pid int) string {
	if pid == os.Getpid() {
		return "generator"
	}
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)) // an ended one has no name
	args := strings.Split(string(text), "\x00")
	for _, role := range []string{API, Worker, Keeper, Up} {
		if slices.Contains(args, role) {
			return role
		}
	}
	name, _, _ := strings.Cut(filepath.Base(args[0]), " ") // Redis adds its address
	if strings.HasPrefix(name, "redis-") {                 // the child that rewrites its file has a name of its own
		return "redis-server"
	}
	return name
}
