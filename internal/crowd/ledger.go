package crowd

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/seckill-dev/seckill/api"
)

// ledger writes every answer down as it comes; what decides in the end is each shopper's own memory.
type ledger struct {
	mu      sync.Mutex
	to      *bufio.Writer
	failure error
}

// entry is one answer.
type entry struct {
	At          time.Time  `json:"at"`
	User        string     `json:"user"`
	Key         string     `json:"key,omitempty"`
	Quantity    int64      `json:"quantity,omitempty"`
	Answer      string     `json:"answer"`
	Reason      api.Reason `json:"reason,omitempty"`
	Reservation string     `json:"reservation,omitempty"`
	Detail      string     `json:"detail,omitempty"`
}

func newLedger(to io.Writer) *ledger {
	if to == nil {
		return &ledger{}
	}
	return &ledger{to: bufio.NewWriter(to)}
}

func (l *ledger) note(e entry) {
	if l.to == nil {
		return
	}
	e.At = time.Now().UTC()
	line, err := json.Marshal(e)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil {
		_, err = l.to.Write(append(line, '\n'))
	}
	if err != nil && l.failure == nil {
		l.failure = fmt.Errorf("write the ledger: %w", err)
	}
}

// flush brings what was written to the file, and reports the first failure.
func (l *ledger) flush() error {
	if l.to == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.to.Flush(); err != nil && l.failure == nil {
		l.failure = fmt.Errorf("write the ledger: %w", err)
	}
	return l.failure
}
