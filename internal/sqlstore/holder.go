package sqlstore

import (
	"crypto/rand"
	"strconv"
	"strings"
)

const (
	// holderBase is how numbers are written in a holder's text: the column has 64 characters.
	holderBase = 36
	// holderRandom is how much of it tells the leases of one process apart.
	holderRandom = 16
	holderParts  = 5
)

// holder is who holds a node number. Its text in the row says enough for a process beside it to prove that it is dead, and
// how far its ids can have got by then: machine.pid.started.origin.random. Where nothing can be proven it is random alone.
type holder struct {
	process
	// origin is the id-millisecond at which the machine started: its ids never run further ahead of origin + uptime than
	// aheadMax.
	origin int64
}

// text is different each time.
func (h holder) text() string {
	if h.machine == "" {
		return rand.Text()
	}
	return strings.Join([]string{
		h.machine, strconv.FormatInt(int64(h.pid), holderBase), strconv.FormatInt(h.started, holderBase),
		strconv.FormatInt(h.origin, holderBase), rand.Text()[:holderRandom],
	}, ".")
}

// parseHolder reads what text wrote; false for all else, which proves nothing.
func parseHolder(text string) (holder, bool) {
	parts := strings.Split(text, ".")
	if len(parts) != holderParts {
		return holder{}, false
	}
	var numbers [3]int64
	for i := range numbers {
		var err error
		if numbers[i], err = strconv.ParseInt(parts[1+i], holderBase, 64); err != nil {
			return holder{}, false
		}
	}
	return holder{process: process{machine: parts[0], pid: int(numbers[0]), started: numbers[1]}, origin: numbers[2]}, true
}

// lastMilli is the last id-millisecond that the holder can have used if it ended before the machine had run so long. Both
// clocks are cut to milliseconds, hence one more.
func (h holder) lastMilli(uptimeMilli int64) int64 {
	return h.origin + uptimeMilli + 1 + aheadMax.Milliseconds()
}
