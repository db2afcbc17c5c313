package rabbitmq

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
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

// causeMax bounds a cause, in bytes.
const causeMax = 1000

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

// letterID leaves 22 bits below the millisecond to tell letters apart. Whatever the time is, operators can name the letter.
func letterID(at time.Time, mark uint32) seckill.ID {
	return max(seckill.ComposeID(at.UnixMilli(), 0, 0, 0), 1<<22) | seckill.ID(mark&(1<<22-1))
}

// isMoment says that a time is one that JSON can write; a stranger's letter may carry any.
func isMoment(at time.Time) bool {
	year := at.UTC().Year()
	return year > 0 && year <= 9999
}

// letterOf reads a letter: ours say what they are, the broker's own (too many deliveries) carry its x-death header.
func letterOf(shard int, d amqp.Delivery) seckill.DeadLetter {
	letter := seckill.DeadLetter{Shard: shard, Body: d.Body, Cause: "dead-lettered by rabbitmq"}
	if at, known := d.Headers[atHeader].(int64); known && isMoment(time.UnixMilli(at)) {
		letter.At = time.UnixMilli(at)
	}
	if id, known := d.Headers[idHeader].(int64); known && id > 0 {
		letter.ID = seckill.ID(id)
		letter.Cause = fmt.Sprint(d.Headers[causeHeader])
		return letter
	}
	if deaths, known := d.Headers["x-death"].([]any); known && len(deaths) > 0 {
		if death, known := deaths[0].(amqp.Table); known {
			letter.Cause = fmt.Sprint("dead-lettered by rabbitmq: ", death["reason"]) // delivery_limit
			if at, known := death["time"].(time.Time); known && isMoment(at) {
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
