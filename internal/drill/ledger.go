package drill

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/seckill-dev/seckill/api"
)

// entry is one line of the ledger: an answer as package crowd writes it, or what happened to the system.
type entry struct {
	At          time.Time  `json:"at"`
	User        string     `json:"user,omitempty"`
	Key         string     `json:"key,omitempty"`
	Quantity    int64      `json:"quantity,omitempty"`
	Answer      string     `json:"answer,omitempty"`
	Reason      api.Reason `json:"reason,omitempty"`
	Reservation string     `json:"reservation,omitempty"`
	Detail      string     `json:"detail,omitempty"`
	// Event is of the drill itself: a fault, a sale that begins.
	Event string `json:"event,omitempty"`
}

// Answers that the ledger is searched for.
const (
	answerQueued   = "queued"
	answerRejected = "rejected"
)

// ledger is a file to which lines are only added, complete ones: whatever becomes of the drill, it can be read.
type ledger struct {
	began time.Time

	mu      sync.Mutex
	file    *os.File
	failure error
	// seconds counts answers that promised a reservation, by seconds since the beginning.
	seconds []int64
	queued  int64
}

func openLedger(path string, began time.Time) (*ledger, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the ledger: %w", err)
	}
	return &ledger{began: began, file: file}, nil
}

// note adds a line.
func (l *ledger) note(e entry) {
	if e.At.IsZero() {
		e.At = time.Now().UTC()
	}
	line, err := json.Marshal(e)
	if err != nil {
		l.fail(err)
		return
	}
	l.write(append(line, '\n'))
}

// write adds complete lines.
func (l *ledger) write(lines []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range bytes.Lines(lines) {
		l.count(line)
	}
	if _, err := l.file.Write(lines); err != nil && l.failure == nil {
		l.failure = fmt.Errorf("write the ledger: %w", err)
	}
}

func (l *ledger) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failure == nil {
		l.failure = fmt.Errorf("write the ledger: %w", err)
	}
}

// count keeps the throughput. A purchase that is asked for again with its key counts again.
func (l *ledger) count(line []byte) {
	if !bytes.Contains(line, []byte(`"answer":"`+answerQueued+`"`)) {
		return
	}
	var e entry
	if json.Unmarshal(line, &e) != nil {
		return
	}
	second := int(e.At.Sub(l.began) / time.Second)
	if second < 0 {
		return
	}
	for len(l.seconds) <= second {
		l.seconds = append(l.seconds, 0)
	}
	l.seconds[second]++
	l.queued++
}

// throughput is how many promises there were, each second and in all.
func (l *ledger) throughput() (seconds []int64, queued int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]int64(nil), l.seconds...), l.queued
}

// close ends it, and reports what went wrong with it first.
func (l *ledger) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.file.Close(); err != nil && l.failure == nil {
		l.failure = fmt.Errorf("close the ledger: %w", err)
	}
	return l.failure
}

// pen is a writer for one crowd, which writes whatever it has gathered: it passes on complete lines.
type pen struct {
	to   *ledger
	rest []byte
}

// Write implements io.Writer.
func (p *pen) Write(text []byte) (int, error) {
	p.rest = append(p.rest, text...)
	if end := bytes.LastIndexByte(p.rest, '\n') + 1; end > 0 {
		p.to.write(p.rest[:end])
		p.rest = append([]byte(nil), p.rest[end:]...)
	}
	return len(text), nil
}
