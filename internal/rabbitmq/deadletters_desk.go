package rabbitmq

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	// listMax bounds a page of dead letters, scanMax how many are looked through for it.
	listMax = 1000
	scanMax = 20_000
	// lockPoll is how often a reader asks whether another one has finished.
	lockPoll = 50 * time.Millisecond
)

// taken is a dead letter in the hands of the one connection that reads them; it goes back with the end of that.
type taken struct {
	seckill.DeadLetter
	delivery amqp.Delivery
}

// List implements seckill.DeadLetters. AMQP cannot look without taking, so the letters are taken, read and given back,
// on a connection that nothing else uses, while no other List runs: even a crash in the middle gives them back. It looks
// through at most scanMax letters. Meanwhile Look counts those as gone.
func (q *Queue) List(ctx context.Context, after seckill.ID, limit int) ([]seckill.DeadLetter, error) {
	var letters []seckill.DeadLetter
	err := q.withDead(ctx, func(_ context.Context, all []taken) error {
		for _, t := range all {
			if t.ID > after {
				letters = append(letters, t.DeadLetter)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list dead letters: %w", err)
	}
	slices.SortFunc(letters, func(a, b seckill.DeadLetter) int { return cmp.Compare(a.ID, b.ID) })
	return letters[:min(len(letters), max(limit, 0), listMax)], nil
}

// Letter implements seckill.DeadLetterDesk, at the price of a List.
func (q *Queue) Letter(ctx context.Context, id seckill.ID) (letter seckill.DeadLetter, err error) {
	err = q.withLetter(ctx, id, func(_ context.Context, t taken) error {
		letter = t.DeadLetter
		return nil
	})
	if err != nil {
		return seckill.DeadLetter{}, fmt.Errorf("read dead letter %s: %w", id, err)
	}
	return letter, nil
}

// Replay implements seckill.DeadLetterDesk: publish, confirm, acknowledge. Nobody else has the letters meanwhile, so two
// replays of one letter find it once. An acknowledgement that is lost with its connection leaves both.
func (q *Queue) Replay(ctx context.Context, id seckill.ID) error {
	err := q.withLetter(ctx, id, func(ctx context.Context, t taken) error {
		if err := q.Publish(ctx, seckill.Outgoing{Shard: t.Shard, Body: t.Body}); err != nil {
			return err
		}
		return t.delivery.Ack(false)
	})
	if err != nil {
		return fmt.Errorf("replay dead letter %s: %w", id, err)
	}
	return nil
}

// Discard implements seckill.DeadLetterDesk. AMQP does not confirm an acknowledgement: one that is lost with its
// connection leaves the letter where it was.
func (q *Queue) Discard(ctx context.Context, id seckill.ID) error {
	err := q.withLetter(ctx, id, func(_ context.Context, t taken) error { return t.delivery.Ack(false) })
	if err != nil {
		return fmt.Errorf("discard dead letter %s: %w", id, err)
	}
	return nil
}

// withLetter does something with one letter. Of two with the same id, which the broker's own letters have once in four
// million pairs of a second, it is the first; the other one stays.
func (q *Queue) withLetter(ctx context.Context, id seckill.ID, do func(context.Context, taken) error) error {
	return q.withDead(ctx, func(ctx context.Context, all []taken) error {
		at := slices.IndexFunc(all, func(t taken) bool { return t.ID == id })
		switch {
		case at >= 0:
			return do(ctx, all[at])
		case len(all) >= scanMax:
			return seckill.Refuse(seckill.Conflict, fmt.Sprintf("it is not among the first %d dead letters; decide about those first", scanMax))
		default:
			return seckill.ErrNotFound
		}
	})
}

// withDead does something with all dead letters, as far as scanMax allows, and gives back what it has not acknowledged.
func (q *Queue) withDead(ctx context.Context, do func(context.Context, []taken) error) error {
	if err := q.checkOpen(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, q.DialTimeout+confirmMax)
	defer cancel()
	conn, err := q.dialer.dial(ctx, "dead letters")
	if err != nil {
		return err
	}
	defer conn.end()
	defer context.AfterFunc(ctx, func() { conn.socket.Close() })()
	all, err := q.takeDead(ctx, conn)
	if err != nil {
		return errors.Join(err, ctx.Err())
	}
	return do(ctx, all)
}

func (q *Queue) takeDead(ctx context.Context, conn *connection) (all []taken, err error) {
	ctx, cancel := context.WithTimeout(ctx, q.DialTimeout)
	defer cancel()
	defer context.AfterFunc(ctx, func() { conn.socket.Close() })()
	if err := q.lockDead(ctx, conn); err != nil {
		return nil, err
	}
	for shard := range q.Shards {
		if all, err = q.takeDeadOf(conn, shard, all); err != nil {
			return nil, errors.Join(err, ctx.Err())
		}
	}
	return all, nil
}

// takeDeadOf appends the letters of one shard, as far as scanMax allows.
func (q *Queue) takeDeadOf(conn *connection, shard int, all []taken) ([]taken, error) {
	channel, err := conn.Channel()
	if err != nil {
		return nil, err
	}
	// Taken before they are counted: a queue without a leader, as just after a restart, says that it is empty, but cannot
	// give a message.
	first, found, err := channel.Get(q.topology.deadOf(shard), false)
	if err != nil || !found {
		return all, err
	}
	all = append(all, taken{letterOf(shard, first), first})
	state, err := channel.QueueDeclarePassive(q.topology.deadOf(shard), true, false, false, false, nil)
	if err != nil {
		return nil, err
	}
	count := min(state.Messages, scanMax-len(all))
	if count <= 0 {
		return all, nil
	}
	if err := channel.Qos(count, 0, false); err != nil {
		return nil, err
	}
	deliveries, err := channel.Consume(q.topology.deadOf(shard), "", false, false, false, false, nil)
	if err != nil {
		return nil, err
	}
	for d := range deliveries {
		all = append(all, taken{letterOf(shard, d), d})
		if count--; count == 0 {
			return all, nil
		}
	}
	return nil, errors.New("the connection ended")
}

// lockDead waits until nobody else reads the dead letters: a queue that belongs to one connection is a lock that ends
// with its holder.
func (q *Queue) lockDead(ctx context.Context, conn *connection) error {
	for {
		channel, err := conn.Channel()
		if err != nil {
			return err
		}
		_, err = channel.QueueDeclare(q.topology.deadReader(), false, true, true, false, nil)
		var refused *amqp.Error
		if !errors.As(err, &refused) || refused.Code != amqp.ResourceLocked {
			return err
		}
		select {
		case <-q.Clock.After(lockPoll):
		case <-ctx.Done():
			return fmt.Errorf("another reader has the dead letters: %w", ctx.Err())
		}
	}
}
