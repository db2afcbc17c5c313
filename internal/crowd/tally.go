package crowd

import (
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// tally counts for the progress line, the table, and the question whether anybody gets anywhere.
type tally struct {
	asked, queued, replayed, soldOut, limitReached, refused, unanswered atomic.Int64
	ordered, rejected, compared                                         atomic.Int64
	paid, cancelled, again                                              atomic.Int64
	requests, busy, lost, outages                                       atomic.Int64

	phase atomic.Value // string
	begun time.Time
	// last is when somebody got somewhere, expected until when somebody has to wait; in nanoseconds after begun.
	last, expected atomic.Int64
}

func newTally(now time.Time) *tally {
	t := &tally{begun: now}
	t.phase.Store("starting")
	return t
}

// moved notes that somebody got somewhere.
func (t *tally) moved() { t.last.Store(int64(time.Since(t.begun))) }

// still is how long nobody got anywhere.
func (t *tally) still() time.Duration { return time.Since(t.begun) - time.Duration(t.last.Load()) }

// expect notes that somebody can only wait until then.
func (t *tally) expect(moment time.Time) {
	until := int64(moment.Sub(t.begun))
	for {
		before := t.expected.Load()
		if until <= before || t.expected.CompareAndSwap(before, until) {
			return
		}
	}
}

func (t *tally) expecting() bool { return int64(time.Since(t.begun)) < t.expected.Load() }

// line is the progress in one line.
func (t *tally) line() string {
	parts := []string{
		fmt.Sprintf("%4.0fs  %-8s", time.Since(t.begun).Seconds(), t.phase.Load()),
		figure("asked", &t.asked), figure("queued", &t.queued), figure("ordered", &t.ordered),
		figure("sold out", &t.soldOut), figure("limit", &t.limitReached),
	}
	for _, rare := range []struct {
		name  string
		count *atomic.Int64
	}{
		{"paid", &t.paid},
		{"cancelled", &t.cancelled},
		{"refused", &t.refused},
		{"rejected", &t.rejected},
		{"busy", &t.busy},
		{"lost", &t.lost},
		{"outages", &t.outages},
		{"compared", &t.compared},
	} {
		if rare.count.Load() > 0 {
			parts = append(parts, figure(rare.name, rare.count))
		}
	}
	return strings.Join(parts, "  ")
}

func figure(name string, count *atomic.Int64) string { return name + " " + grouped(count.Load()) }

// grouped writes a number with a comma between thousands.
func grouped(n int64) string {
	digits := strconv.FormatInt(n, 10)
	for at := len(digits) - 3; at > 0 && digits[at-1] != '-'; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return digits
}
