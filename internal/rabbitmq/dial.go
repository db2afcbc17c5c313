package rabbitmq

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync/atomic"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	// writeTimeout ends a connection whose peer takes no bytes: amqp091 has no deadline for a write.
	writeTimeout = time.Second
	// closeTimeout bounds the farewell.
	closeTimeout = time.Second
	frameSize    = 128 << 10
)

// dialer reaches one of the brokers.
type dialer struct {
	Config
	brokers []amqp.URI
	// preferred is the broker that answered last; all connections of this process begin there.
	preferred atomic.Int64
	// alarm is common to all connections of this process.
	alarm alarm
}

// connection is one AMQP connection and the socket under it, which can be ended without a farewell.
type connection struct {
	*amqp.Connection
	socket net.Conn
}

// dial tries every broker once, beginning with the one that answered last. Failing is seckill.ErrUnavailable.
func (d *dialer) dial(ctx context.Context, purpose string) (*connection, error) {
	first := d.preferred.Load()
	failures := make([]error, 0, len(d.brokers))
	for try := range int64(len(d.brokers)) {
		number := (first + try) % int64(len(d.brokers))
		conn, err := d.reach(ctx, d.brokers[number], purpose)
		if err == nil {
			d.preferred.Store(number)
			return conn, nil
		}
		failures = append(failures, err)
	}
	return nil, fmt.Errorf("%w: %w", seckill.ErrUnavailable, errors.Join(failures...))
}

func (d *dialer) reach(ctx context.Context, broker amqp.URI, purpose string) (*connection, error) {
	ctx, cancel := context.WithTimeout(ctx, d.DialTimeout)
	defer cancel()
	address := net.JoinHostPort(broker.Host, strconv.Itoa(broker.Port))
	plain, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("connect to rabbitmq at %s: %w", address, err)
	}
	// The handshake has no context of its own: it ends with its socket.
	defer context.AfterFunc(ctx, func() { plain.Close() })()
	socket, err := d.secure(ctx, &hurried{Conn: plain}, broker)
	if err != nil {
		plain.Close()
		return nil, fmt.Errorf("secure the connection to rabbitmq at %s: %w", address, err)
	}
	conn, err := amqp.Open(socket, d.settings(broker, purpose))
	if err != nil {
		plain.Close()
		return nil, fmt.Errorf("log in to rabbitmq at %s as %q: %w", address, broker.Username, err)
	}
	return &connection{Connection: conn, socket: plain}, nil
}

func (d *dialer) secure(ctx context.Context, socket net.Conn, broker amqp.URI) (net.Conn, error) {
	if broker.Scheme != "amqps" {
		return socket, nil
	}
	settings := &tls.Config{MinVersion: tls.VersionTLS12}
	if d.TLS != nil {
		settings = d.TLS.Clone()
	}
	orDefault(&settings.ServerName, broker.Host)
	secured := tls.Client(socket, settings)
	return secured, secured.HandshakeContext(ctx)
}

func (d *dialer) settings(broker amqp.URI, purpose string) amqp.Config {
	properties := amqp.NewConnectionProperties()
	properties.SetClientConnectionName(d.Name + " " + purpose)
	return amqp.Config{
		SASL:       []amqp.Authentication{broker.PlainAuth()},
		Vhost:      broker.Vhost,
		FrameSize:  frameSize,
		Heartbeat:  d.Heartbeat,
		Properties: properties,
		Locale:     "en_US",
		// Recovery stays nil: after a recovery, amqp091 acknowledges old deliveries by number on the new channel.
	}
}

// end closes the connection, whatever state it is in, within closeTimeout. The socket ends it, not a deadline:
// amqp091's own heartbeat may have the last word about deadlines.
func (c *connection) end() {
	defer time.AfterFunc(closeTimeout, func() { c.socket.Close() }).Stop()
	_ = c.Close() // without an answer the broker finds out by itself
	c.socket.Close()
}

// hurried is a socket on which no write takes for ever.
type hurried struct{ net.Conn }

func (h *hurried) Write(b []byte) (int, error) {
	if err := h.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return 0, err
	}
	return h.Conn.Write(b)
}
