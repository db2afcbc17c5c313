package rabbitmq

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// lookMax bounds one look, so that nobody waits for a broker that hangs.
const lookMax = 2 * time.Second

// watch is one generation of the connection that looks at queues and hears how far consumers are.
type watch struct {
	conn    *connection
	asking  chan struct{} // belongs to whoever asks
	channel *amqp.Channel // nil when the last question closed it; belongs to whoever asks
}

func (q *Queue) openWatch(_ context.Context, conn *connection) (*watch, error) {
	if err := q.declare(conn); err != nil {
		return nil, err
	}
	if err := q.hearProgress(conn); err != nil {
		return nil, fmt.Errorf("listen to consumers: %w", err)
	}
	return &watch{conn: conn, asking: make(chan struct{}, 1)}, nil
}

// Look implements seckill.QueueWatch. Ready, Consumers and Dead are the broker's numbers. Unacked counts this process
// only, because AMQP shows nobody what others hold. Age: see ages. A queue without a leader (a moment after a restart, or
// while most of its replicas are away) looks empty and without consumers: who concludes something from an empty queue
// must also want a consumer.
func (q *Queue) Look(ctx context.Context, shard int) (seckill.QueueState, error) {
	state, err := q.look(ctx, shard)
	if err != nil {
		return seckill.QueueState{}, fmt.Errorf("look at the queue of shard %d: %w", shard, err)
	}
	return state, nil
}

func (q *Queue) look(ctx context.Context, shard int) (seckill.QueueState, error) {
	if err := q.checkShard(shard); err != nil {
		return seckill.QueueState{}, err
	}
	live, err := q.watch.liveSoon(ctx)
	if err != nil {
		return seckill.QueueState{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, lookMax)
	defer cancel()
	began := q.Clock.Now()
	found, err := live.own.ask(ctx, []string{q.topology.orders(shard), q.topology.deadOf(shard)})
	if err != nil {
		var refused *amqp.Error
		if errors.As(err, &refused) && refused.Code == amqp.NotFound {
			q.lose(shard, err.Error())
		}
		return seckill.QueueState{}, err
	}
	state := seckill.QueueState{
		Ready: int64(found[0].Messages), Unacked: q.unacked(shard), Consumers: found[0].Consumers,
		Dead: int64(found[1].Messages),
	}
	state.Age = q.ages.look(shard, seen{ready: state.Ready > 0, consumed: state.Consumers > 0}, began, q.Clock.Now())
	return state, nil
}

// ask reads the state of queues. amqp091 knows no deadline for a question, so it is asked aside: after ctx has ended the
// answer is awaited by nobody, and the next question by its turn.
func (w *watch) ask(ctx context.Context, names []string) ([]amqp.Queue, error) {
	select {
	case w.asking <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	type answer struct {
		queues []amqp.Queue
		err    error
	}
	answered := make(chan answer, 1)
	go func() { // ends with the connection at the latest, which has a heartbeat
		defer func() { <-w.asking }()
		queues, err := w.inspect(names)
		answered <- answer{queues, err}
	}()
	select {
	case a := <-answered:
		return a.queues, a.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (w *watch) inspect(names []string) (queues []amqp.Queue, err error) {
	if w.channel == nil || w.channel.IsClosed() {
		if w.channel, err = w.conn.Channel(); err != nil {
			return nil, err
		}
	}
	for _, name := range names {
		queue, err := w.channel.QueueDeclarePassive(name, true, false, false, false, nil)
		if err != nil {
			return nil, err
		}
		queues = append(queues, queue)
	}
	return queues, nil
}

// progressEvery is how often consumers say how far they are.
const progressEvery = 250 * time.Millisecond

// progress says that a shard's messages up to At (Unix milliseconds) have been delivered.
type progress struct {
	Shard int   `json:"shard"`
	At    int64 `json:"at"`
}

// tellProgress publishes what this process's subscriptions were given, so that others know how old the rest is.
func (q *Queue) tellProgress(ctx context.Context) {
	told := make([]time.Time, q.Shards)
	for {
		select {
		case <-q.Clock.After(progressEvery):
		case <-ctx.Done():
			return
		}
		for shard := range told {
			at := q.ages.deliveredHere(shard)
			if !at.After(told[shard]) {
				continue
			}
			body, err := json.Marshal(progress{Shard: shard, At: at.UnixMilli()})
			if err == nil {
				err = q.send(ctx, parcel{exchange: q.topology.progress(), Publishing: amqp.Publishing{Body: body}})
			}
			if err == nil {
				told[shard] = at
			}
		}
	}
}

// hearProgress listens on a queue that ends with the connection.
func (q *Queue) hearProgress(conn *connection) error {
	channel, err := conn.Channel()
	if err != nil {
		return err
	}
	queue, err := channel.QueueDeclare("", false, true, true, false, amqp.Table{"x-max-length": int32(1000)})
	if err != nil {
		return err
	}
	if err := channel.QueueBind(queue.Name, "", q.topology.progress(), false, nil); err != nil {
		return err
	}
	news, err := channel.Consume(queue.Name, "", true, true, false, false, nil)
	if err != nil {
		return err
	}
	q.working.Go(func() {
		for d := range news { // until the connection ends
			var p progress
			if json.Unmarshal(d.Body, &p) == nil && p.Shard >= 0 && p.Shard < q.Shards {
				q.ages.heard(p.Shard, time.UnixMilli(p.At))
			}
		}
	})
	return nil
}
