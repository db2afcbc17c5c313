package drill

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// promise is a reservation that somebody was told is queued.
type promise struct {
	reservation string
	user, key   string
	quantity    int64
	at          time.Time
}

// promises is what the ledger says, read from its file.
type promises struct {
	all map[string]promise
	// answers counts the lines that promised something: one promise may be heard more than once.
	answers int64
	lines   int64
}

func readPromises(path string) (promises, error) {
	file, err := os.Open(path)
	if err != nil {
		return promises{}, fmt.Errorf("read the ledger: %w", err)
	}
	defer file.Close()
	return promisesIn(file)
}

func promisesIn(ledger io.Reader) (promises, error) {
	p := promises{all: make(map[string]promise)}
	lines := bufio.NewReader(ledger)
	for {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return p, nil // what is behind the last end of a line was never written whole
		}
		if err != nil {
			return p, fmt.Errorf("read the ledger: %w", err)
		}
		if err := p.add(line); err != nil {
			return p, fmt.Errorf("read the ledger, line %d: %w", p.lines, err)
		}
	}
}

func (p *promises) add(line []byte) error {
	p.lines++
	var e entry
	if err := json.Unmarshal(line, &e); err != nil {
		return err
	}
	if e.Answer != answerQueued || e.Reservation == "" {
		return nil
	}
	p.answers++
	if _, known := p.all[e.Reservation]; !known {
		p.all[e.Reservation] = promise{e.Reservation, e.User, e.Key, e.Quantity, e.At}
	}
	return nil
}
