package rabbitmq

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// errUnroutable says that the broker knows no queue for a message and kept nothing of it.
var errUnroutable = errors.New("no queue takes it")

// errGone says that nothing was sent, because the connection had ended.
var errGone = fmt.Errorf("%w: the connection to rabbitmq is gone", seckill.ErrUnavailable)

// parcel is one message on its way to an exchange.
type parcel struct {
	exchange, key string
	mandatory     bool
	shard         int   // whose queue it is for; meaningless unless mandatory
	path          *path // told when the broker does not speak in time; may be nil
	isProbe       bool  // needs no slot
	amqp.Publishing
}

// lane is one generation of a publishing connection: a channel in confirm mode and the messages that wait on it.
type lane struct {
	conn    *connection
	channel *amqp.Channel
	// slots bounds what is unconfirmed. A message keeps its slot until the broker has spoken or the lane is over, not
	// only until its caller stops waiting.
	slots chan struct{}
	// writing belongs to whoever writes, so that the numbers of confirms are known before they can arrive.
	writing chan struct{}
	over    chan struct{}
	// silent says that a probe has not been answered in time.
	silent atomic.Bool

	mu       sync.Mutex
	pending  map[uint64]*waiting
	byName   map[string]*waiting
	finished bool
}

// waiting is one message that the broker has not spoken about.
type waiting struct {
	tag      uint64
	name     string
	returned bool
	overdue  *path // where it counts as overdue; nil: nowhere
	hasSlot  bool
	result   chan error // has room for the only result
}

// isOver waits for the broker's word, whatever it is, or the end of the lane; false when ctx ends first.
func (w *waiting) isOver(ctx context.Context) bool {
	select {
	case <-w.result: //nolint:errcheck // that it spoke is all that counts
		return true
	case <-ctx.Done():
		return false
	}
}

// openLane puts a new channel into confirm mode.
func openLane(conn *connection, inFlight int) (*lane, error) {
	channel, err := conn.Channel()
	if err != nil {
		return nil, fmt.Errorf("open a publishing channel: %w", err)
	}
	if err := channel.Confirm(false); err != nil {
		return nil, fmt.Errorf("ask for confirms: %w", err)
	}
	l := &lane{
		conn: conn, channel: channel,
		slots: make(chan struct{}, inFlight), writing: make(chan struct{}, 1), over: make(chan struct{}),
		pending: map[uint64]*waiting{}, byName: map[string]*waiting{},
	}
	// One goroutine reads both, and whoever sends the confirm has sent the return before: see collect.
	returns := channel.NotifyReturn(make(chan amqp.Return, inFlight))
	confirms := channel.NotifyPublish(make(chan amqp.Confirmation, inFlight))
	go l.collect(returns, confirms)
	return l, nil
}

// collect gives every message its result. An unroutable message is returned and then acked, so when a confirm arrives,
// all returns that are already there come first. amqp091 hands confirms on in the order of publishing: a message that its
// queue does not confirm holds back those after it on this lane, for other queues and probes, too.
func (l *lane) collect(returns <-chan amqp.Return, confirms <-chan amqp.Confirmation) {
	defer l.finish()
	for {
		select {
		case r, open := <-returns:
			if !open {
				returns = nil // the confirms that remain may still be there
				continue
			}
			l.noteReturn(r)
		case c, open := <-confirms:
			l.noteReturns(returns)
			if !open {
				return
			}
			l.resolve(c)
		}
	}
}

// noteReturns takes all returns that are there.
func (l *lane) noteReturns(returns <-chan amqp.Return) {
	for {
		select {
		case r, open := <-returns:
			if !open {
				return
			}
			l.noteReturn(r)
		default:
			return
		}
	}
}

func (l *lane) noteReturn(r amqp.Return) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if w, known := l.byName[r.MessageId]; known {
		w.returned = true
	}
}

func (l *lane) resolve(c amqp.Confirmation) {
	l.mu.Lock()
	defer l.mu.Unlock()
	w, known := l.pending[c.DeliveryTag]
	if !known {
		return
	}
	switch {
	case w.returned:
		w.result <- fmt.Errorf("%w: %w", seckill.ErrUnavailable, errUnroutable)
	case !c.Ack:
		w.result <- errors.New("rabbitmq refused it, or part of its replicas did") // some may hold it: unknown
	default:
		w.result <- nil
	}
	l.forget(w)
}

// forget frees the slot. The caller holds mu.
func (l *lane) forget(w *waiting) {
	delete(l.pending, w.tag)
	delete(l.byName, w.name)
	if w.overdue != nil {
		w.overdue.overdue.Add(-1)
	}
	if w.hasSlot {
		<-l.slots
	}
}

// miss counts a message as overdue until the broker speaks or the lane is over.
func (l *lane) miss(w *waiting, on *path) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, waits := l.pending[w.tag]; waits && on != nil {
		w.overdue = on
		on.overdue.Add(1)
	}
}

// finish ends the lane: what waits is unknown, except for what came back.
func (l *lane) finish() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.finished = true
	close(l.over)
	for _, w := range l.pending {
		if w.returned {
			w.result <- fmt.Errorf("%w: %w", seckill.ErrUnavailable, errUnroutable)
		} else {
			w.result <- errors.New("the connection was lost before the confirm")
		}
		l.forget(w)
	}
	// A channel that the broker closed takes its connection along: the link then opens the next generation.
	l.conn.socket.Close()
}

func (l *lane) isFull() bool { return len(l.slots) == cap(l.slots) }

func (l *lane) isOver() bool {
	select {
	case <-l.over:
		return true
	default:
		return false
	}
}

// publish sends one message and waits for the broker's word. Nothing was sent on seckill.ErrUnavailable, or it came back.
func (l *lane) publish(ctx context.Context, p parcel) error {
	select {
	case l.slots <- struct{}{}:
	case <-l.over:
		return errGone
	case <-ctx.Done():
		return fmt.Errorf("%w: %d messages wait for their confirm: %w", seckill.ErrUnavailable, cap(l.slots), ctx.Err())
	}
	w, err := l.send(ctx, p)
	if err != nil {
		return err
	}
	select {
	case err := <-w.result:
		return err
	case <-ctx.Done():
		l.miss(w, p.path)
		return fmt.Errorf("no confirm in time: %w", ctx.Err()) // it keeps its slot: the broker may yet speak
	}
}

// send writes the message with the slot it was given, which it frees when nothing was written.
func (l *lane) send(ctx context.Context, p parcel) (*waiting, error) {
	select {
	case l.writing <- struct{}{}:
	case <-ctx.Done():
		l.free(p)
		return nil, fmt.Errorf("%w: the connection is busy: %w", seckill.ErrUnavailable, ctx.Err())
	}
	defer func() { <-l.writing }()
	w, err := l.register(p)
	if err != nil {
		l.free(p)
		return nil, err
	}
	err = l.channel.PublishWithContext(context.WithoutCancel(ctx), p.exchange, p.key, p.mandatory, false, p.Publishing)
	if errors.Is(err, amqp.ErrClosed) { // nothing of it was written
		return nil, l.drop(w)
	}
	if err != nil {
		l.conn.socket.Close() // it may stand half written
	}
	return w, nil // a failed write is answered by finish: unknown
}

func (l *lane) register(p parcel) (*waiting, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.finished {
		return nil, errGone
	}
	w := &waiting{
		tag: l.channel.GetNextPublishSeqNo(), name: p.MessageId, hasSlot: !p.isProbe, result: make(chan error, 1),
	}
	l.pending[w.tag], l.byName[w.name] = w, w
	return w, nil
}

// free gives up the slot of what was never registered.
func (l *lane) free(p parcel) {
	if !p.isProbe {
		<-l.slots
	}
}

// drop takes back what was not sent.
func (l *lane) drop(w *waiting) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, known := l.pending[w.tag]; known {
		l.forget(w)
	}
	return errGone
}
