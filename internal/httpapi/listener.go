package httpapi

import (
	"net"
	"sync"
	"time"
)

// patrolEvery is how late a connection's deadline may be.
const patrolEvery = 250 * time.Millisecond

// NewListener makes the deadlines of a listener's connections cheap. net/http sets five for every request, and nearly none
// of them ever comes; the runtime keeps a timer for each, which costs a twentieth of a small answer. Here a deadline is a
// number, and one goroutine looks for those that have come.
func NewListener(inner net.Listener) net.Listener {
	l := &listener{Listener: inner, closed: make(chan struct{}), conns: map[*patrolled]struct{}{}}
	go l.patrol()
	return l
}

type listener struct {
	net.Listener

	once   sync.Once
	closed chan struct{}

	mu    sync.Mutex
	conns map[*patrolled]struct{}
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	accepted, err := l.Listener.Accept()
	tcp, ok := accepted.(*net.TCPConn)
	if err != nil || !ok {
		return accepted, err
	}
	conn := &patrolled{TCPConn: tcp, listener: l}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conns[conn] = struct{}{}
	return conn, nil
}

// Close implements net.Listener. Connections outlive it, and so does the patrol.
func (l *listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

// patrol ends when the listener is closed and its last connection too.
func (l *listener) patrol() {
	ticker := time.NewTicker(patrolEvery)
	defer ticker.Stop()
	for closed := l.closed; ; {
		var left int
		select {
		case now := <-ticker.C:
			left = l.enforce(now)
		case <-closed:
			closed = nil
			left = l.enforce(time.Now())
		}
		if closed == nil && left == 0 {
			return
		}
	}
}

func (l *listener) enforce(now time.Time) (left int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for conn := range l.conns {
		conn.enforce(now)
	}
	return len(l.conns)
}

// patrolled is a connection whose deadlines are looked after by its listener.
type patrolled struct {
	*net.TCPConn

	listener *listener

	mu          sync.Mutex
	read, write deadline
}

// deadline is the zero time while there is none; met says that the runtime has been told.
type deadline struct {
	at  time.Time
	met bool
}

// Close implements net.Conn.
func (c *patrolled) Close() error {
	c.listener.mu.Lock()
	delete(c.listener.conns, c)
	c.listener.mu.Unlock()
	return c.TCPConn.Close()
}

// SetReadDeadline implements net.Conn.
func (c *patrolled) SetReadDeadline(at time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.read.set(at, c.TCPConn.SetReadDeadline)
}

// SetWriteDeadline implements net.Conn.
func (c *patrolled) SetWriteDeadline(at time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.write.set(at, c.TCPConn.SetWriteDeadline)
}

// SetDeadline implements net.Conn.
func (c *patrolled) SetDeadline(at time.Time) error {
	if err := c.SetReadDeadline(at); err != nil {
		return err
	}
	return c.SetWriteDeadline(at)
}

func (c *patrolled) enforce(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.read.enforce(now, c.TCPConn.SetReadDeadline)
	c.write.enforce(now, c.TCPConn.SetWriteDeadline)
}

// longAgo is what a deadline in the past is set to at once: that is how net/http interrupts its own reading.
const longAgo = 1 << 30 // seconds since 1970

func (d *deadline) set(at time.Time, tell func(time.Time) error) error {
	if !at.IsZero() && at.Unix() < longAgo {
		d.at, d.met = time.Time{}, true
		return tell(at)
	}
	d.at = at
	if !d.met {
		return nil
	}
	d.met = false
	return tell(time.Time{})
}

func (d *deadline) enforce(now time.Time, tell func(time.Time) error) {
	if d.at.IsZero() || now.Before(d.at) {
		return
	}
	d.at, d.met = time.Time{}, true
	_ = tell(now) // a connection that was closed meanwhile needs none
}
