package app_test

import (
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/seckill-dev/seckill/internal/testenv/fleet"
)

// logBook keeps what every node says, restarts included.
type logBook struct {
	mu    sync.Mutex
	lines map[string]*strings.Builder
}

// keep makes a fleet write into the book.
func (b *logBook) keep(config *fleet.Config) {
	b.lines = make(map[string]*strings.Builder)
	config.Output = func(name string) io.Writer { return bookWriter{b, name} }
}

type bookWriter struct {
	book *logBook
	name string
}

func (w bookWriter) Write(text []byte) (int, error) {
	w.book.mu.Lock()
	defer w.book.mu.Unlock()
	if w.book.lines[w.name] == nil {
		w.book.lines[w.name] = &strings.Builder{}
	}
	return w.book.lines[w.name].Write(text)
}

// wantSilence fails for every word of a node: in a fleet they log what somebody has to look at.
func (b *logBook) wantSilence(t *testing.T) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for name, said := range b.lines {
		t.Errorf("%s says:\n%s", name, said)
	}
}
