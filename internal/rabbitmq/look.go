package rabbitmq

import (
	"context"
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
	if err := q.hearNews(conn); err != nil {
		return nil, fmt.Errorf("listen to others: %w", err)
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
