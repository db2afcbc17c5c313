package app_test

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
)

// fleetLogs is what all nodes of a fleet log: shown by the test that runs, and kept for its questions.
type fleetLogs struct {
	mu   sync.Mutex
	t    *testing.T
	text bytes.Buffer
}

// begin shows what follows in another test, and forgets what was.
func (l *fleetLogs) begin(t *testing.T) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.t = t
	l.text.Reset()
}

// writer is where one node writes.
func (l *fleetLogs) writer(name string) io.Writer { return nodeLog{l, name} }

type nodeLog struct {
	*fleetLogs
	name string
}

func (n nodeLog) Write(line []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	fmt.Fprintf(&n.text, "%s: %s", n.name, line)
	if _, err := fmt.Fprintf(n.t.Output(), "%s: %s", n.name, line); err != nil {
		return 0, err
	}
	return len(line), nil
}

func (l *fleetLogs) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l.writer("test"), nil))
}

// has says whether one line holds all the texts.
func (l *fleetLogs) has(texts ...string) bool {
	return len(l.lines(func(line string) bool {
		for _, text := range texts {
			if !strings.Contains(line, text) {
				return false
			}
		}
		return true
	})) > 0
}

// complaints are the lines that ask for somebody's attention.
func (l *fleetLogs) complaints() string {
	return strings.Join(l.lines(func(line string) bool {
		return strings.Contains(line, "level=WARN") || strings.Contains(line, "level=ERROR")
	}), "")
}

func (l *fleetLogs) lines(wanted func(line string) bool) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var lines []string
	for line := range strings.Lines(l.text.String()) {
		if wanted(line) {
			lines = append(lines, line)
		}
	}
	return lines
}
