package rabbitmq

import (
	"log/slog"
	"sync/atomic"
	"time"
)

const (
	// quietFor is how long a process that has just started waits for its broker before it complains.
	quietFor = 5 * time.Second
	// complainEvery is how often an outage that lasts is reported again.
	complainEvery = 30 * time.Second
)

// absence decides how loudly a missing connection is reported. Processes and their broker are often started together:
// that is no warning. A connection that was lost is one at once; an outage that lasts is repeated now and then, not at
// every attempt.
type absence struct {
	log       *slog.Logger
	began     time.Time // zero: nothing is missing
	warned    time.Time
	connected bool // once at least
}

// lasts reports one failure to connect, or the loss of a connection.
func (a *absence) lasts(now time.Time, err error) {
	isFirst := a.began.IsZero()
	if isFirst {
		a.began = now
	}
	switch {
	case !a.connected && now.Sub(a.began) < quietFor:
		if isFirst {
			a.log.Info("rabbitmq is not connected yet", "error", err)
		}
	case a.warned.IsZero() || now.Sub(a.warned) >= complainEvery:
		a.warned = now
		a.log.Warn("rabbitmq is not connected", "error", err)
	default:
		a.log.Debug("rabbitmq is not connected", "error", err)
	}
}

// over reports a connection.
func (a *absence) over() {
	if !a.began.IsZero() {
		a.log.Info("rabbitmq is connected")
	}
	a.began, a.warned, a.connected = time.Time{}, time.Time{}, true
}

// alarm counts the connections on which the broker takes no messages. It blocks all of them, but tells each only when it
// publishes: the first one that hears of it speaks for all, and there is one report and not one for each.
type alarm struct{ blocked atomic.Int64 }

func (a *alarm) raise(log *slog.Logger, reason string) {
	if a.blocked.Add(1) == 1 {
		log.Error("rabbitmq blocks publishers: nothing is sold until it takes messages again", "reason", reason)
	}
}

func (a *alarm) end(log *slog.Logger) {
	if a.blocked.Add(-1) == 0 {
		log.Info("rabbitmq does not block publishers any more")
	}
}

func (a *alarm) isRaised() bool { return a.blocked.Load() > 0 }
