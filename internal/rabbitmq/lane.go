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
	amqp.Publishing
}

// lane is one generation of a publishing connection: a channel in confirm mode and the messages that wait on it. Each waits
// for its own confirm: amqp091's NotifyPublish hands them on in the order of publishing, so that one queue without a leader
// would hold back the confirms of all others.
type lane struct {
	conn    *connection
	channel *amqp.Channel
	// slots bounds what is unconfirmed. A message keeps its slot until the broker has spoken or the lane is over, not
	// only until its caller stops waiting.
	slots chan struct{}
	// writing belongs to whoever writes: amqp091 would have the others wait without regard to their deadlines.
	writing chan struct{}
	over    chan struct{}
	// silent says that a probe has not been answered in time.
	silent atomic.Bool

	// returns has room for every message that has a slot, so whatever came back is in it when its confirm is there.
	returns <-chan amqp.Return

	mu       sync.Mutex
	returned map[string]bool // the names of messages that came back and are not settled
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
		returns: channel.NotifyReturn(make(chan amqp.Return, inFlight)), returned: map[string]bool{},
	}
	closed := channel.NotifyClose(make(chan *amqp.Error, 1))
	go l.end(closed)
	return l, nil
}

// end waits for the end of the channel. One that the broker closed takes its connection along: the link then opens the
// next generation.
func (l *lane) end(closed <-chan *amqp.Error) {
	<-closed //nolint:errcheck // that it ended is all that counts
	close(l.over)
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
	confirm, err := l.send(ctx, p)
	if err != nil {
		<-l.slots
		return err
	}
	select {
	case <-confirm.Done():
		return l.settle(p, confirm)
	case <-ctx.Done():
		l.settleLater(p, confirm)
		return fmt.Errorf("no confirm in time: %w", ctx.Err())
	}
}

// send writes the message. On seckill.ErrUnavailable nothing of it was written.
func (l *lane) send(ctx context.Context, p parcel) (*amqp.DeferredConfirmation, error) {
	select {
	case l.writing <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: the connection is busy: %w", seckill.ErrUnavailable, ctx.Err())
	}
	defer func() { <-l.writing }()
	confirm, err := l.channel.PublishWithDeferredConfirm(p.exchange, p.key, p.mandatory, false, p.Publishing)
	if errors.Is(err, amqp.ErrClosed) {
		return nil, errGone
	}
	if err != nil {
		l.conn.socket.Close() // it may stand half written
		return nil, fmt.Errorf("write to rabbitmq: %w", err)
	}
	return confirm, nil
}

// settle frees the slot of a message about which the broker has spoken, or never will, and says what became of it. An
// unroutable message is returned and then acked.
func (l *lane) settle(p parcel, confirm *amqp.DeferredConfirmation) error {
	defer func() { <-l.slots }()
	switch {
	case l.takeReturn(p.MessageId):
		return fmt.Errorf("%w: %w", seckill.ErrUnavailable, errUnroutable)
	case confirm.Acked():
		return nil
	}
	return errors.New("the connection was lost before the confirm, or some replicas refused it") // some may hold it: unknown
}

// settleLater is settle for a message whose caller stopped waiting. Until then it counts as overdue.
func (l *lane) settleLater(p parcel, confirm *amqp.DeferredConfirmation) {
	if p.path != nil {
		p.path.overdue.Add(1)
	}
	go func() {
		<-confirm.Done()
		_ = l.settle(p, confirm) // nobody asks any more
		if p.path != nil {
			p.path.overdue.Add(-1)
		}
	}()
}

// takeReturn says whether the message came back and forgets that it did.
func (l *lane) takeReturn(name string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		select {
		case r, isOpen := <-l.returns:
			if isOpen {
				l.returned[r.MessageId] = true
				continue
			}
		default:
		}
		cameBack := l.returned[name]
		delete(l.returned, name)
		return cameBack
	}
}
