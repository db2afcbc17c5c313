package rabbitmq

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	firstBackoff = 50 * time.Millisecond
	// longestBackoff is short: a broker that is back should be sold through within seconds.
	longestBackoff = 2 * time.Second
	// noticesMax is room for what the broker says about a connection while nobody listens for a moment.
	noticesMax = 16
)

// link keeps one connection alive. Each connection is a generation of its own: its channels, and whatever numbers
// were given out on them, end with it and are never carried over.
//
//	dialing --opened--> serving --closed or cut--> waiting (backoff) --> dialing
type link[G any] struct {
	*dialer
	purpose string
	// open builds a generation on a new connection; it ends with the connection.
	open func(ctx context.Context, conn *connection) (*G, error)

	current atomic.Pointer[generation[G]]
	failure atomic.Pointer[error] // why there is no current one

	// settled says that the process has had its time to connect for the first time.
	settled atomic.Bool

	mu sync.Mutex
	up chan struct{} // closed while there is a current one
}

// generation is one life of a link.
type generation[G any] struct {
	conn    *connection
	blocked atomic.Bool
	own     *G
}

func newLink[G any](d *dialer, purpose string, open func(context.Context, *connection) (*G, error)) *link[G] {
	return &link[G]{dialer: d, purpose: purpose, open: open, up: make(chan struct{})}
}

// run keeps the link until ctx ends.
func (l *link[G]) run(ctx context.Context) {
	wait := firstBackoff
	gone := absence{log: l.Log.With("purpose", l.purpose)}
	for ctx.Err() == nil {
		live, err := l.connect(ctx)
		if err == nil {
			gone.over()
			err = l.serve(ctx, live)
			wait = firstBackoff
		}
		if ctx.Err() != nil {
			return
		}
		l.failure.Store(&err)
		gone.lasts(l.Clock.Now(), err)
		select {
		case <-l.Clock.After(wait/2 + rand.N(wait/2)):
		case <-ctx.Done():
		}
		wait = min(2*wait, longestBackoff)
	}
}

func (l *link[G]) connect(ctx context.Context) (*generation[G], error) {
	conn, err := l.dial(ctx, l.purpose)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, l.DialTimeout)
	defer cancel()
	// What is asked of the broker here has no context of its own: it ends with the socket.
	stop := context.AfterFunc(ctx, func() { conn.socket.Close() })
	own, err := l.open(ctx, conn)
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		conn.end()
		return nil, fmt.Errorf("%w: %w", seckill.ErrUnavailable, err)
	}
	return &generation[G]{conn: conn, own: own}, nil
}

// serve offers the generation until it is over and says why.
func (l *link[G]) serve(ctx context.Context, live *generation[G]) error {
	closed := live.conn.NotifyClose(make(chan *amqp.Error, 1))
	blocks := live.conn.NotifyBlocked(make(chan amqp.Blocking, noticesMax))
	l.offer(live)
	defer live.conn.end()
	defer l.block(live, amqp.Blocking{})
	defer l.withdraw()
	for {
		select {
		case reason := <-closed:
			return fmt.Errorf("%w: the connection ended: %w", seckill.ErrUnavailable, orGone(reason))
		case block, open := <-blocks:
			if !open {
				blocks = nil
				continue
			}
			l.block(live, block)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (l *link[G]) offer(live *generation[G]) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.current.Store(live)
	l.settled.Store(true)
	close(l.up)
}

func (l *link[G]) withdraw() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.current.Store(nil)
	l.up = make(chan struct{})
}

// block notes what the broker says about publishing on this connection.
func (l *link[G]) block(live *generation[G], block amqp.Blocking) {
	if live.blocked.Swap(block.Active) == block.Active {
		return
	}
	if block.Active {
		l.alarm.raise(l.Log, block.Reason)
	} else {
		l.alarm.end(l.Log)
	}
}

// live is the present generation, or seckill.ErrUnavailable with the reason why there is none.
func (l *link[G]) live() (*generation[G], error) {
	if live := l.current.Load(); live != nil {
		return live, nil
	}
	if failure := l.failure.Load(); failure != nil {
		return nil, *failure
	}
	return nil, errNotYet
}

var errNotYet = fmt.Errorf("%w: not connected to rabbitmq yet", seckill.ErrUnavailable)

// await waits until there is a connection and says why there is none when ctx ends.
func (l *link[G]) await(ctx context.Context) error {
	l.mu.Lock()
	up := l.up
	l.mu.Unlock()
	select {
	case <-up:
		return nil
	case <-ctx.Done():
		_, err := l.live()
		return err
	}
}

// liveSoon is live, except that a process that has just started waits a little for its first connection.
func (l *link[G]) liveSoon(ctx context.Context) (*generation[G], error) {
	if !l.settled.Load() {
		ctx, cancel := context.WithTimeout(ctx, quietFor)
		defer cancel()
		_ = l.await(ctx) // live says what is in the way
	}
	return l.live()
}

// orGone gives a reason to a connection that ended without one.
func orGone(reason *amqp.Error) error {
	if reason == nil {
		return amqp.ErrClosed
	}
	return reason
}
