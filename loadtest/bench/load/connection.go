package load

import (
	"context"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

const (
	requestRoom = 2 << 10
	bodyShown   = 300 // how much of an unexpected answer is quoted, in bytes
)

// connection is one socket and what was measured on it.
type connection struct {
	*Conn

	run     *run
	request []byte
	timer   *time.Timer // the open loop's

	statuses     [600]int64
	counted      int64
	latency, lag *hdrhistogram.Histogram
	ticks        []int64
	last         time.Duration // when the last expected answer came
}

func newConnection(r *run, conn *Conn) *connection {
	c := &connection{
		Conn: conn, run: r, request: make([]byte, 0, requestRoom),
		latency: NewHistogram(), lag: NewHistogram(), ticks: make([]int64, (r.length()+Tick-1)/Tick),
	}
	if r.plan.Rate > 0 {
		c.timer = time.NewTimer(time.Hour)
	}
	return c
}

// play sends until the time is over or there is nothing left to send.
func (c *connection) play(ctx context.Context) error {
	if err := c.socket.SetDeadline(c.run.begun.Add(c.run.length() + Patience)); err != nil {
		return err
	}
	for ctx.Err() == nil {
		n, due, ok := c.run.take()
		if !ok {
			return nil
		}
		c.request = c.run.plan.Request(c.request[:0], n)
		if c.timer != nil && !c.wait(ctx, due) {
			break
		}
		if err := c.exchange(n, due); err != nil {
			return err
		}
	}
	return context.Cause(ctx)
}

// wait returns when a request is due, false when ctx ended before.
func (c *connection) wait(ctx context.Context, due time.Duration) bool {
	if left := due - time.Since(c.run.begun); left > 0 {
		c.timer.Reset(left)
		select {
		case <-c.timer.C:
		case <-ctx.Done():
			return false
		}
	}
	if due >= c.run.plan.Warm {
		Record(c.lag, time.Since(c.run.begun)-due)
	}
	return true
}

// exchange sends one request and reads its answer.
func (c *connection) exchange(n int64, due time.Duration) error {
	status, body, err := c.Exchange(c.request)
	if err != nil {
		return err
	}
	c.statuses[status]++
	if status != c.run.plan.Status {
		c.run.unexpected.CompareAndSwap(nil, &UnexpectedError{Status: status, Body: string(body[:min(len(body), bodyShown)])})
		return nil
	}
	at := time.Now()
	c.count(due, at.Sub(c.run.begun))
	if c.run.plan.Answered != nil {
		c.run.plan.Answered(n, body, at)
	}
	return nil
}

// count notes an expected answer. The closed loop counts those that came in the counted time, the open loop those that
// were due in it, however late they came.
func (c *connection) count(due, came time.Duration) {
	c.last = came
	if tick := int(came / Tick); tick < len(c.ticks) {
		c.ticks[tick]++
	}
	when := came
	if c.timer != nil {
		when = due
	}
	if when >= c.run.plan.Warm && when < c.run.length() {
		c.counted++
		Record(c.latency, came-due)
	}
}

// Record notes a duration, in microseconds.
func Record(h *hdrhistogram.Histogram, d time.Duration) {
	_ = h.RecordValue(min(max(d.Microseconds(), 1), latencyMaxMicros)) // only a value beyond the bounds is an error
}

func (c *connection) addTo(sum *Result) {
	for status, count := range c.statuses {
		if count > 0 {
			sum.Statuses[status] += count
		}
	}
	sum.Counted += c.counted
	sum.Last = max(sum.Last, c.last)
	sum.Latency.Merge(c.latency)
	sum.Lag.Merge(c.lag)
	for i, count := range c.ticks {
		sum.Ticks[i] += count
	}
}
