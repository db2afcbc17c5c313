package rabbitmq

import (
	"fmt"
	"time"
)

// graceFor is how long a queue that is gone stays gone before it is declared again. RabbitMQ (seen in 3.10.8) tells the
// consumers of a deleted quorum queue a moment later; if there is a queue of that name again by then, it takes them along
// without a word, and what it gives to them gets lost on the way. On a busy broker the moment may be longer than any grace,
// and such a consumer cannot be told from one that has nothing to do: so whoever declares a lost queue also tells everybody
// to subscribe anew.
const graceFor = time.Second

// lose notes that a shard's queue is gone and has it declared again.
func (q *Queue) lose(shard int, why string) {
	q.paths[shard].lost.Store(true)
	q.Log.Error("rabbitmq has lost a queue; nothing is sold through it until it is declared again, which is under way",
		"shard", shard, "error", why)
	q.repair()
}

// declare makes what is missing on a broker. What was lost may be there again.
func (q *Queue) declare(conn *connection) error {
	if err := q.grace(conn); err != nil {
		return err
	}
	if err := q.topology.declare(conn.Connection); err != nil {
		return err
	}
	if q.wasGone.Load() {
		if err := q.topology.tell(conn.Connection, news{Shard: everyShard, Anew: true}); err != nil {
			return fmt.Errorf("tell of queues that are declared again: %w", err)
		}
		q.wasGone.Store(false)
	}
	q.hasDeclared.Store(true)
	for shard := range q.paths {
		q.paths[shard].lost.Store(false)
	}
	return nil
}

// grace waits where a queue is missing that this process has seen.
func (q *Queue) grace(conn *connection) error {
	if !q.hasDeclared.Load() {
		return nil
	}
	isThere, err := q.topology.isThere(conn.Connection)
	if err != nil || isThere {
		return err
	}
	q.wasGone.Store(true)
	select {
	case <-q.Clock.After(graceFor):
	case <-q.running.Done():
	}
	return nil
}

// subscribeAnew ends the subscriptions of this process: they may belong to a queue that is gone. What they have in hand is
// delivered again.
func (q *Queue) subscribeAnew() {
	for _, subscriptions := range q.consumed() {
		for _, s := range subscriptions {
			s.conn.socket.Close()
		}
	}
}

// repair declares the topology again in the background, one at a time, until that has worked.
func (q *Queue) repair() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.isClosed || !q.repairing.CompareAndSwap(false, true) {
		return
	}
	q.working.Go(func() {
		for {
			q.declareUntilDone()
			q.repairing.Store(false)
			// What was lost since has found a repair under way and relies on it.
			if q.running.Err() != nil || !q.isMissing() || !q.repairing.CompareAndSwap(false, true) {
				return
			}
		}
	})
}

// isMissing says whether some queue is known to be gone.
func (q *Queue) isMissing() bool {
	for shard := range q.paths {
		if q.paths[shard].lost.Load() {
			return true
		}
	}
	return false
}

func (q *Queue) declareUntilDone() {
	for wait, isReported := firstBackoff, false; ; wait = min(2*wait, longestBackoff) {
		live, err := q.watch.live()
		if err == nil {
			err = q.declare(live.conn)
		}
		if err == nil {
			q.Log.Info("rabbitmq's queues are declared again")
			return
		}
		if !isReported {
			isReported = true
			q.Log.Error("rabbitmq's queues could not be declared again yet", "error", err)
		}
		select {
		case <-q.Clock.After(wait):
		case <-q.running.Done():
			return
		}
	}
}
