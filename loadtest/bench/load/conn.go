package load

import (
	"context"
	"fmt"
	"net"
	"time"
)

const dialTimeout = 5 * time.Second

// Conn is one kept connection to a server.
type Conn struct {
	socket  net.Conn
	answers *reader
}

// Dial opens a connection.
func Dial(ctx context.Context, addr string) (*Conn, error) {
	socket, err := (&net.Dialer{Timeout: dialTimeout}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	return newConn(socket), nil
}

func newConn(socket net.Conn) *Conn { return &Conn{socket: socket, answers: newReader(socket)} }

// Exchange sends a whole request and reads its answer; the body is good until the next call.
func (c *Conn) Exchange(request []byte) (status int, body []byte, err error) {
	if _, err := c.socket.Write(request); err != nil {
		return 0, nil, err
	}
	return c.answers.read()
}

// Within makes everything after this moment fail.
func (c *Conn) Within(d time.Duration) error { return c.socket.SetDeadline(time.Now().Add(d)) }

// Close closes the connection.
func (c *Conn) Close() { c.socket.Close() }
