package rabbitmq

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// What a dead letter carries beside its bytes.
const (
	idHeader    = "id"
	causeHeader = "cause"
)

const (
	// listMax bounds a page of dead letters, scanMax how many are looked through for it.
	listMax = 1000
	scanMax = 20_000
	// lockPoll is how often a reader asks whether another one has finished.
	lockPoll = 50 * time.Millisecond
	// causeMax bounds a cause, in bytes.
	causeMax = 1000
)

// DeadLetter implements seckill.Subscription. Moving is publish, confirm, acknowledge: a crash in between leaves the
// letter and brings the message again.
func (s *Subscription) DeadLetter(ctx context.Context, delivery seckill.Delivery, cause string) error {
	now := s.queue.Clock.Now()
	err := s.queue.send(ctx, parcel{
		exchange: s.queue.topology.dead(), key: s.queue.topology.deadOf(s.shard), mandatory: true, shard: s.shard,
		Publishing: amqp.Publishing{
			DeliveryMode: amqp.Persistent, Body: delivery.Body,
			Headers: amqp.Table{
				idHeader: int64(s.queue.letters.next(now)), atHeader: now.UnixMilli(),
				causeHeader: cause[:min(len(cause), causeMax)],
			},
		},
	})
	if err != nil {
		return fmt.Errorf("dead-letter a message of shard %d: %w", s.shard, err)
	}
	if s.isWhole(delivery) {
		return s.Ack(ctx, []seckill.Delivery{delivery})
	}
	return nil
}

// letterIDs makes the ids of dead letters: rising in one process, different in several.
type letterIDs struct {
	mu   sync.Mutex
	last seckill.ID
}

func (l *letterIDs) next(now time.Time) seckill.ID {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = max(l.last+1, letterID(now, rand.Uint32()))
	return l.last
}

// letterID leaves 22 bits below the millisecond to tell letters apart.
func letterID(at time.Time, mark uint32) seckill.ID {
	return seckill.ComposeID(at.UnixMilli(), 0, 0, 0) | seckill.ID(mark&(1<<22-1))
}

// List implements seckill.DeadLetters. AMQP cannot look without taking, so the letters are taken, read and given back,
// on a connection that nothing else uses, while no other List runs: even a crash in the middle gives them back. It looks
// through at most scanMax letters. Meanwhile Look counts those as gone.
func (q *Queue) List(ctx context.Context, after seckill.ID, limit int) ([]seckill.DeadLetter, error) {
	if err := q.checkOpen(); err != nil {
		return nil, fmt.Errorf("list dead letters: %w", err)
	}
	letters, err := q.readDead(ctx)
	if err != nil {
		return nil, fmt.Errorf("list dead letters: %w", err)
	}
	letters = slices.DeleteFunc(letters, func(l seckill.DeadLetter) bool { return l.ID <= after })
	slices.SortFunc(letters, func(a, b seckill.DeadLetter) int { return cmp.Compare(a.ID, b.ID) })
	return letters[:min(len(letters), max(limit, 0), listMax)], nil
}

func (q *Queue) readDead(ctx context.Context) ([]seckill.DeadLetter, error) {
	ctx, cancel := context.WithTimeout(ctx, q.DialTimeout)
	defer cancel()
	conn, err := q.dialer.dial(ctx, "dead letters")
	if err != nil {
		return nil, err
	}
	defer conn.end()
	defer context.AfterFunc(ctx, func() { conn.socket.Close() })()
	if err := q.lockDead(ctx, conn); err != nil {
		return nil, err
	}
	var letters []seckill.DeadLetter
	for shard := range q.Shards {
		if letters, err = q.readDeadOf(conn, shard, letters); err != nil {
			return nil, errors.Join(err, ctx.Err())
		}
	}
	return letters, nil
}

// readDeadOf appends the letters of one shard, as far as scanMax allows.
func (q *Queue) readDeadOf(conn *connection, shard int, letters []seckill.DeadLetter) ([]seckill.DeadLetter, error) {
	channel, err := conn.Channel()
	if err != nil {
		return nil, err
	}
	// Taken before they are counted: a queue without a leader, as just after a restart, says that it is empty, but cannot
	// give a message.
	first, found, err := channel.Get(q.topology.deadOf(shard), false)
	if err != nil || !found {
		return letters, err
	}
	letters = append(letters, letterOf(shard, first))
	state, err := channel.QueueDeclarePassive(q.topology.deadOf(shard), true, false, false, false, nil)
	if err != nil {
		return nil, err
	}
	count := min(state.Messages, scanMax-len(letters))
	if count <= 0 {
		return letters, nil
	}
	if err := channel.Qos(count, 0, false); err != nil {
		return nil, err
	}
	deliveries, err := channel.Consume(q.topology.deadOf(shard), "", false, false, false, false, nil)
	if err != nil {
		return nil, err
	}
	for d := range deliveries {
		letters = append(letters, letterOf(shard, d))
		if count--; count == 0 {
			return letters, nil
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

// letterOf reads a letter: ours say what they are, the broker's own (too many deliveries) carry its x-death header.
func letterOf(shard int, d amqp.Delivery) seckill.DeadLetter {
	letter := seckill.DeadLetter{Shard: shard, Body: d.Body, Cause: "dead-lettered by rabbitmq"}
	if at, known := d.Headers[atHeader].(int64); known {
		letter.At = time.UnixMilli(at)
	}
	if id, known := d.Headers[idHeader].(int64); known {
		letter.ID = seckill.ID(id)
		letter.Cause = fmt.Sprint(d.Headers[causeHeader])
		return letter
	}
	if deaths, known := d.Headers["x-death"].([]any); known && len(deaths) > 0 {
		if death, known := deaths[0].(amqp.Table); known {
			letter.Cause = fmt.Sprint("dead-lettered by rabbitmq: ", death["reason"]) // delivery_limit
			if at, known := death["time"].(time.Time); known {
				letter.At = at
			}
		}
	}
	mark := fnv.New32a()
	_, _ = mark.Write([]byte(d.MessageId))
	_, _ = mark.Write(d.Body)
	letter.ID = letterID(letter.At, mark.Sum32())
	return letter
}
