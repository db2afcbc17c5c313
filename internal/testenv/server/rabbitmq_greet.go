package server

import (
	"context"
	"errors"
	"net"
	"net/url"
)

// greetBroker opens an AMQP connection far enough to hear who serves there.
func greetBroker(ctx context.Context, addr string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return "", err
		}
	}
	if _, err := conn.Write([]byte("AMQP\x00\x00\x09\x01")); err != nil {
		return "", err
	}
	greeting := make([]byte, 4096)
	n, err := conn.Read(greeting)
	return string(greeting[:n]), err
}

// CheckRabbitMQ says whether a server answers at an AMQP URL.
func CheckRabbitMQ(ctx context.Context, address string) error {
	parsed, err := url.Parse(address)
	if err != nil {
		return errors.New("not a URL") // the reason would quote the password
	}
	host := parsed.Host
	if parsed.Port() == "" {
		host = net.JoinHostPort(parsed.Hostname(), "5672")
	}
	_, err = greetBroker(ctx, host)
	return err
}
