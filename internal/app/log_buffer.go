package app

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"time"
)

const (
	logWait = 50 * time.Millisecond
	// logRoom is when what waits is written early, logMost when whoever logs has to wait for that.
	logRoom = 64 << 10
	logMost = 16 * logRoom
)

// LogBuffer writes what is logged many records at a time, and beside who logs it: while a crowd buys, a system call per
// purchase would cost as much as the record. Nothing waits longer than 50 ms, and a Logger on it lets nothing wait that is
// at least a warning. A process that is killed loses what waited; the books do not depend on it.
type LogBuffer struct {
	// writing keeps records in order; it is taken before mu.
	writing sync.Mutex
	to      io.Writer
	written []byte // room for what is being written

	mu      sync.Mutex
	waiting []byte
	due     bool // somebody will flush
	early   bool // and does so already
	closed  bool
}

// NewLogBuffer buffers what goes to a writer.
func NewLogBuffer(to io.Writer) *LogBuffer { return &LogBuffer{to: to} }

// Write implements io.Writer. An error of the writer below is lost with the record, as slog does it.
func (b *LogBuffer) Write(record []byte) (int, error) {
	if b.add(record) {
		b.Flush()
	}
	return len(record), nil
}

// add says whether the caller must flush.
func (b *LogBuffer) add(record []byte) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waiting = append(b.waiting, record...)
	switch {
	case b.closed || len(b.waiting) >= logMost:
		return true
	case len(b.waiting) >= logRoom && !b.early:
		b.due, b.early = true, true
		go b.Flush()
	case !b.due:
		b.due = true
		time.AfterFunc(logWait, b.Flush)
	}
	return false
}

// Flush writes what waits.
func (b *LogBuffer) Flush() {
	b.writing.Lock()
	defer b.writing.Unlock()
	b.mu.Lock()
	records := b.waiting
	b.waiting, b.due, b.early = b.written[:0], false, false
	b.mu.Unlock()
	if len(records) > 0 {
		_, _ = b.to.Write(records) // nobody is left to tell
	}
	b.written = records
}

// Close writes what waits; later records wait no more.
func (b *LogBuffer) Close() {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.Flush()
}

// hasty flushes after every record that somebody should see.
type hasty struct {
	slog.Handler

	buffer *LogBuffer
}

// Handle implements slog.Handler.
func (h hasty) Handle(ctx context.Context, record slog.Record) error {
	err := h.Handler.Handle(ctx, record)
	if record.Level >= slog.LevelWarn {
		h.buffer.Flush()
	}
	return err
}

// WithAttrs implements slog.Handler.
func (h hasty) WithAttrs(attrs []slog.Attr) slog.Handler {
	return hasty{h.Handler.WithAttrs(attrs), h.buffer}
}

// WithGroup implements slog.Handler.
func (h hasty) WithGroup(name string) slog.Handler {
	return hasty{h.Handler.WithGroup(name), h.buffer}
}
