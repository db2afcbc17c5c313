package rabbitmq

import (
	"sync"
	"time"
)

// ages knows for each shard a moment after which everything that is ready was published, and so how old it can be. AMQP
// shows the oldest message only to who takes it, and taking counts as a delivery. So it is concluded from what was seen:
//
//   - a look that found nothing ready: all that is ready now came later. Not when messages were there the last time and
//     nobody is there to take them: then the queue only looks empty, because it has no leader at the moment;
//   - the newest message given to a consumer, here or in another process (they tell each other): a queue is first in,
//     first out, so what is still ready was published later. Redelivered messages say nothing;
//   - none of both yet: the first look that found something. A process that has just started therefore takes a stuck
//     queue for a fresh one, for as long as it has been looking.
//
// The moments of publishing are by the publishers' clocks, though never later than now: ages are as exact as the clocks of the
// machines agree.
type ages struct {
	mu     sync.Mutex
	fresh  []time.Time // everything ready is younger than this
	direct []time.Time // the newest message delivered to this process
	ready  []bool      // the last look that can be believed found something
}

func newAges(shards int) *ages {
	return &ages{fresh: make([]time.Time, shards), direct: make([]time.Time, shards), ready: make([]bool, shards)}
}

// delivered notes when a message was published that this process was given for the first time.
func (a *ages) delivered(shard int, at time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.direct[shard] = later(a.direct[shard], at)
	a.fresh[shard] = later(a.fresh[shard], at)
}

// heard notes the same of another process.
func (a *ages) heard(shard int, at time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.fresh[shard] = later(a.fresh[shard], at)
}

func (a *ages) deliveredHere(shard int) time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.direct[shard]
}

// look notes what a look between began and now has found, and says how old the oldest ready message may be.
func (a *ages) look(shard int, found seen, began, now time.Time) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !found.ready && !found.consumed && a.ready[shard] {
		return 0
	}
	a.ready[shard] = found.ready
	if !found.ready || a.fresh[shard].IsZero() {
		a.fresh[shard] = later(a.fresh[shard], began)
	}
	if !found.ready {
		return 0
	}
	return max(0, now.Sub(a.fresh[shard])) // clocks may disagree
}

// seen is what a look found: whether messages are ready, and whether anybody takes them.
type seen struct{ ready, consumed bool }

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
