package rabbitmq

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	// probeEvery is the rhythm of probes on each lane, silentAfter how long the broker may leave one unanswered.
	probeEvery  = 500 * time.Millisecond
	silentAfter = time.Second
)

// Why nothing can be published at the moment.
var (
	errBlocked = fmt.Errorf("%w: rabbitmq blocks publishers", seckill.ErrUnavailable)
	errSilent  = fmt.Errorf("%w: rabbitmq is connected and does not answer", seckill.ErrUnavailable)
	errFull    = fmt.Errorf("%w: too many messages wait for their confirm", seckill.ErrUnavailable)
	errOverdue = fmt.Errorf("%w: the queue does not confirm what it was sent", seckill.ErrUnavailable)
	errLost    = fmt.Errorf("%w: the queue is gone and not declared again yet", seckill.ErrUnavailable)
)

// path is what is known of the way to one shard's queue from what was last published to it.
type path struct {
	// overdue counts the messages whose callers stopped waiting and about which the broker has not spoken: a queue that
	// lacks a majority of its replicas takes messages and says nothing.
	overdue atomic.Int64
	// lost says that no queue took the last message.
	lost atomic.Bool
}

func (p *path) err() error {
	switch {
	case p.lost.Load():
		return errLost
	case p.overdue.Load() > 0:
		return errOverdue
	}
	return nil
}

// Available implements seckill.Publisher. It reads what the connections, the last messages and the probes have told.
func (q *Queue) Available(shard int) error {
	if err := q.checkShard(shard); err != nil {
		return err
	}
	if err := q.paths[shard].err(); err != nil {
		return err
	}
	chosen, err := q.pick(q.turn.Load())
	if err == nil && chosen.isFull() {
		return errFull
	}
	return err
}

// pick takes the lanes in turn, beginning with the given one, those with room first.
func (q *Queue) pick(first uint64) (*lane, error) {
	if q.dialer.alarm.isRaised() {
		return nil, errBlocked
	}
	var full *lane
	var failure error
	for try := range uint64(len(q.lanes)) {
		live, err := q.lanes[(first+try)%uint64(len(q.lanes))].live()
		switch {
		case err != nil:
			failure = err
		case live.own.isOver():
			failure = errGone
		case live.own.silent.Load():
			failure = errSilent
		case live.own.isFull():
			full = live.own
		default:
			return live.own, nil
		}
	}
	if full != nil {
		return full, nil // its caller waits for a slot
	}
	return nil, failure
}

// probe keeps asking a lane's connections for a sign of life, so that an alarm or a broker that hangs is known before
// the next purchase and not by it: brokers tell of an alarm only to who publishes. The message goes to no queue, which
// costs the broker nothing and is confirmed as any other.
func (q *Queue) probe(ctx context.Context, l *link[lane]) {
	for {
		select {
		case <-q.Clock.After(probeEvery):
		case <-ctx.Done():
			return
		}
		if live, err := l.live(); err == nil {
			q.probeLane(ctx, live.own)
		}
	}
}

// probeLane waits for the answer to one probe, or the end of the lane, however long that takes. A probe needs no slot.
func (q *Queue) probeLane(ctx context.Context, l *lane) {
	late, cancel := context.WithTimeout(ctx, silentAfter)
	defer cancel()
	confirm, err := l.send(late, parcel{
		key:        q.topology.nowhere(),
		Publishing: amqp.Publishing{MessageId: q.nextName(), DeliveryMode: amqp.Transient},
	})
	if err != nil {
		if !errors.Is(err, errGone) {
			l.silent.Store(true) // somebody else's write hangs
		}
		return
	}
	if _, err := confirm.WaitContext(late); err != nil {
		l.silent.Store(true)
		_, _ = confirm.WaitContext(ctx)
	}
	l.silent.Store(false)
}
