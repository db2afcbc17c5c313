package rabbitmq

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// What a Config leaves out.
const (
	// PrefixDefault begins the name of every queue and exchange.
	PrefixDefault = "seckill"
	// LanesDefault is how many connections publish. One flushes every message, so throughput grows with their number.
	LanesDefault = 4
	// InFlightDefault is how many messages of one lane may wait for their confirm.
	InFlightDefault = 128
	// PrefetchDefault lets a worker gather a full transaction of single reservations.
	PrefetchDefault = 512
	// DeliveryLimitDefault is high: every loss of a worker counts for each message it had, and a dead letter needs a person.
	DeliveryLimitDefault = 10_000
	// HeartbeatDefault finds a silent peer within two of them.
	HeartbeatDefault = 5 * time.Second
	// DialTimeoutDefault bounds reaching one broker: TCP, TLS, credentials and topology.
	DialTimeoutDefault = 5 * time.Second
)

// Config is what a queue is made of.
type Config struct {
	// URLs are the brokers of one cluster, amqp:// or amqps://; the first that answers is used until it is lost.
	URLs []string
	// Username and Password replace those of the URLs when they are given.
	Username, Password string
	// TLS is for amqps:// URLs; nil trusts the system's authorities. A missing ServerName is the URL's host.
	TLS *tls.Config
	// Name is what the broker shows this process's connections as.
	Name string
	// Shards is the number of shards; each has a queue of its own.
	Shards int
	// Prefix keeps two systems on one broker apart.
	Prefix string
	// Lanes is the number of publishing connections, InFlight bounds the unconfirmed messages on each.
	Lanes, InFlight int
	// Prefetch is the most messages one subscription has at once.
	Prefetch int
	// DeliveryLimit is how often a message may come back before it is a dead letter. Changing it needs new queues: the
	// broker refuses to declare one that exists with another limit.
	DeliveryLimit int
	Heartbeat     time.Duration
	DialTimeout   time.Duration
	Clock         seckill.Clock
	Log           *slog.Logger
}

func (c Config) complete() (Config, error) {
	if len(c.URLs) == 0 || c.Shards < 1 || c.Clock == nil || c.Log == nil {
		return Config{}, errors.New("open rabbitmq: urls, shards, clock and log are needed")
	}
	if min(c.Lanes, c.InFlight, c.Prefetch, c.DeliveryLimit) < 0 || min(c.Heartbeat, c.DialTimeout) < 0 {
		return Config{}, errors.New("open rabbitmq: no bound may be negative")
	}
	orDefault(&c.Prefix, PrefixDefault)
	orDefault(&c.Name, PrefixDefault)
	orDefault(&c.Lanes, LanesDefault)
	orDefault(&c.InFlight, InFlightDefault)
	orDefault(&c.Prefetch, PrefetchDefault)
	orDefault(&c.DeliveryLimit, DeliveryLimitDefault)
	orDefault(&c.Heartbeat, HeartbeatDefault)
	orDefault(&c.DialTimeout, DialTimeoutDefault)
	return c, nil
}

func orDefault[T comparable](value *T, fallback T) {
	var none T
	if *value == none {
		*value = fallback
	}
}

// brokers reads the URLs. Its errors never quote them, because they hold passwords.
func (c Config) brokers() ([]amqp.URI, error) {
	brokers := make([]amqp.URI, len(c.URLs))
	for i, text := range c.URLs {
		broker, err := amqp.ParseURI(text)
		if err != nil {
			return nil, fmt.Errorf("open rabbitmq: url %d of %d is not of the form amqp[s]://user:password@host:port/vhost", i+1, len(c.URLs))
		}
		if c.Username != "" {
			broker.Username = c.Username
		}
		if c.Password != "" {
			broker.Password = c.Password
		}
		brokers[i] = broker
	}
	return brokers, nil
}
