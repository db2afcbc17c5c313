package load

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

const (
	// Tick is the grain of Result.Ticks.
	Tick = 100 * time.Millisecond
	// Patience is how long answers are awaited after the last request.
	Patience = 20 * time.Second

	latencyMaxMicros = 60_000_000
	latencyDigits    = 2 // one percent
)

// Plan says what to send.
type Plan struct {
	Addr        string
	Connections int
	// Request appends the bytes of request n, from 0, to b. It is called by many goroutines.
	Request func(b []byte, n int64) []byte
	// Most is how many requests there are; running out of them ends the run early. 0 is any number.
	Most int64
	// Status is what every answer must have.
	Status int
	// Rate is how many requests a second are due; 0 is a closed loop.
	Rate float64
	// Warm is the time at the beginning that is not counted, Duration what comes after it.
	Warm, Duration time.Duration
	// Answered hears of every expected answer, if it is set. The body is only lent.
	Answered func(n int64, body []byte, at time.Time)
}

// Result is what came back.
type Result struct {
	// Statuses counts every answer, those outside the counted time too.
	Statuses map[int]int64
	// Counted is how many expected answers came within Elapsed.
	Counted int64
	Elapsed time.Duration
	// Latency and Lag are in microseconds; Lag is the open loop's.
	Latency, Lag *hdrhistogram.Histogram
	// Ticks are the expected answers of each Tick, from the very beginning.
	Ticks []int64
	// Last is when the last expected answer came, from the very beginning.
	Last time.Duration
	// Taken is how many requests were used up; the last few may not have been sent.
	Taken int64
	// Ended says that there were no more requests before the time was over.
	Ended bool
}

// PerSecond is the rate of expected answers.
func (r Result) PerSecond() float64 { return float64(r.Counted) / r.Elapsed.Seconds() }

// Answers is how many there were of one status.
func (r Result) Answers(status int) int64 { return r.Statuses[status] }

// UnexpectedError is an answer with another status than planned.
type UnexpectedError struct {
	Status int
	Body   string
	// Count is how many unexpected answers there were.
	Count int64
}

// Error implements error.
func (u *UnexpectedError) Error() string {
	return fmt.Sprintf("%d unexpected answers, the first one: %d %s", u.Count, u.Status, u.Body)
}

// Run sends as planned. An unexpected status is an *UnexpectedError, beside the whole result.
func Run(ctx context.Context, plan Plan) (Result, error) {
	if plan.Connections < 1 || plan.Duration <= 0 || plan.Request == nil || plan.Rate < 0 {
		return Result{}, errors.New("load: connections, a duration and requests are needed")
	}
	r := &run{plan: plan}
	defer r.close()
	for range plan.Connections {
		if err := r.dial(ctx); err != nil {
			return Result{}, err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, plan.Warm+plan.Duration+Patience)
	defer cancel()
	r.begun = time.Now()
	failures := make([]error, len(r.connections))
	var all sync.WaitGroup
	for i, c := range r.connections {
		all.Go(func() { failures[i] = c.play(ctx) })
	}
	all.Wait()
	// What ends one connection ends them all; one of hundreds says enough.
	if failed := slices.DeleteFunc(failures, func(err error) bool { return err == nil }); len(failed) > 0 {
		return Result{}, fmt.Errorf("load at %s: %d of %d connections: %w", plan.Addr, len(failed), plan.Connections, failed[0])
	}
	return r.result()
}

// run is one Run.
type run struct {
	plan        Plan
	connections []*connection
	begun       time.Time
	next        atomic.Int64
	ended       atomic.Bool
	unexpected  atomic.Pointer[UnexpectedError]
}

func (r *run) dial(ctx context.Context) error {
	conn, err := Dial(ctx, r.plan.Addr)
	if err != nil {
		return err
	}
	r.connections = append(r.connections, newConnection(r, conn))
	return nil
}

func (r *run) close() {
	for _, c := range r.connections {
		c.Close()
	}
}

// length is how long requests are sent.
func (r *run) length() time.Duration { return r.plan.Warm + r.plan.Duration }

// take is the next request and when it is due, from the beginning; false when there is none any more.
func (r *run) take() (n int64, due time.Duration, ok bool) {
	n = r.next.Add(1) - 1
	if r.plan.Most > 0 && n >= r.plan.Most {
		r.ended.Store(true)
		return 0, 0, false
	}
	if r.plan.Rate > 0 {
		due = time.Duration(float64(n) / r.plan.Rate * float64(time.Second))
	} else {
		due = time.Since(r.begun)
	}
	return n, due, due < r.length()
}

// result adds the connections up.
func (r *run) result() (Result, error) {
	sum := Result{
		Statuses: map[int]int64{}, Elapsed: r.plan.Duration, Latency: NewHistogram(), Lag: NewHistogram(),
		Ticks: make([]int64, len(r.connections[0].ticks)), Ended: r.ended.Load(), Taken: r.next.Load(),
	}
	for _, c := range r.connections {
		c.addTo(&sum)
	}
	if sum.Ended {
		sum.Elapsed = max(sum.Last-r.plan.Warm, Tick)
	}
	if first := r.unexpected.Load(); first != nil {
		found := *first
		for status, count := range sum.Statuses {
			if status != r.plan.Status {
				found.Count += count
			}
		}
		return sum, &found
	}
	return sum, nil
}

// NewHistogram has room for what Record takes.
func NewHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(1, latencyMaxMicros, latencyDigits)
}
