package keeper

import "errors"

// lines has some batches under way at once. For one goroutine.
type lines struct {
	ended chan error
	under int
	err   error
}

func newLines() *lines { return &lines{ended: make(chan error, tellLines)} }

// begin has a batch told, and returns when there is room for another one.
func (l *lines) begin(batch func() error) {
	l.under++
	go func() { l.ended <- batch() }()
	if l.under == tellLines {
		l.wait()
	}
}

// wait waits until one of those under way has ended; false: there is none.
func (l *lines) wait() bool {
	if l.under == 0 {
		return false
	}
	l.err = errors.Join(l.err, <-l.ended)
	l.under--
	return true
}

// end waits for all of them and tells what failed.
func (l *lines) end() error {
	for l.wait() {
	}
	return l.err
}
