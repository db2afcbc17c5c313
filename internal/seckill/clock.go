package seckill

import "time"

// Clock is this process's own clock. Durations between two Now values are monotonic.
type Clock interface {
	Now() time.Time
	// After delivers once, d after the call.
	After(d time.Duration) <-chan time.Time
}

// SystemClock is the real one.
type SystemClock struct{}

// Now implements Clock.
func (SystemClock) Now() time.Time { return time.Now() }

// After implements Clock.
func (SystemClock) After(d time.Duration) <-chan time.Time { return time.After(d) }

// Timing of the protocol. Several processes rely on the same values, so they are not settings.
const (
	// GateDefault is how long Redis may sell on after its last renewal; GateMax is the most a setting may say.
	GateDefault = time.Second
	GateMax     = 5 * time.Second
	// AcceptWindow is the longest time from before the Lua call to the answer `queued`.
	AcceptWindow = 2 * time.Second
	// CloseMargin covers the granularity of the clocks between the last promise and close.
	CloseMargin = 300 * time.Millisecond
	// RenewEvery is the keeper's rhythm of gate renewals.
	RenewEvery = 300 * time.Millisecond
	// StateMaxAge is how old the local item state may be before it is not believed.
	StateMaxAge = time.Second
	// BeatEvery is the rhythm of heartbeats and marks; BeatMaxAge is how old the last one may be while serving.
	BeatEvery  = 500 * time.Millisecond
	BeatMaxAge = 10 * time.Second
	// BeatLookback is how far before close a heartbeat still names a process that may have promised something.
	BeatLookback = time.Minute
	// DoubtFor is how long units stay in doubt after a seal.
	DoubtFor = time.Minute
	// JudgeAfter is how long after opening (or after sending an issue again) a difference is not yet a loss.
	JudgeAfter = 2 * time.Second
	// LoadStall is how long a load may stand still before another keeper starts the next epoch.
	LoadStall = 5 * time.Second
	// DrainQuiet is how long no claim may come in before the uncounted drain is believed.
	DrainQuiet = 20 * time.Second
)
