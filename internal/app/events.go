package app

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/seckill-dev/seckill/internal/keeper"
	"github.com/seckill-dev/seckill/internal/rabbitmq"
	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/webhook"
)

const (
	tellEvery = 250 * time.Millisecond
	// dropEvery is the rhythm of dropping what was written while somebody was told; backlogEvery that of counting what waits.
	dropEvery    = time.Minute
	backlogEvery = 15 * time.Second
	// retireEvery is the rhythm of giving up what is kept for endpoints that nobody names any more.
	retireEvery = 5 * time.Minute
)

// openWebhooks reads the secrets of the webhooks; nothing is connected to yet. Only keepers tell.
func (b *Backend) openWebhooks(config Config, log *slog.Logger) error {
	for i, hook := range config.Events.Webhooks {
		endpoint, err := config.webhook(i)
		if err != nil {
			return err
		}
		if hook.AllowPrivate {
			log.Warn("a webhook may be at a private address", "setting", webhookKey(i)+".allow_private", "name", hook.Name)
		}
		b.onClose(endpoint.Close)
		b.Endpoints = append(b.Endpoints, endpoint)
	}
	return nil
}

func (c *Config) webhook(i int) (*webhook.Endpoint, error) {
	key, hook := webhookKey(i), c.Events.Webhooks[i]
	secret, err := c.read(key+".secret", hook.Secret, hook.SecretFile, webhook.SecretLeast)
	if err != nil {
		return nil, err
	}
	if hook.SecretFile != "" {
		if err := webhookSecret(key+".secret_file", secret); err != nil {
			return nil, err
		}
	}
	var authorities tls.Config
	if err := trust(&authorities, key+".ca_file", hook.CAFile); err != nil {
		return nil, err
	}
	endpoint, err := webhook.New(webhook.Config{
		Name: hook.Name, URL: hook.URL, Secret: secret, AllowPrivate: hook.AllowPrivate, Authorities: authorities.RootCAs,
		Clock: seckill.SystemClock{},
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	return endpoint, nil
}

// openExchange begins to connect to the exchange, if there is one to tell.
func (b *Backend) openExchange(ctx context.Context, config Config, log *slog.Logger) error {
	if config.Events.Exchange == "" {
		return nil
	}
	door, err := config.entrance("rabbitmq", config.RabbitMQ.Login, config.RabbitMQ.TLS)
	if err != nil {
		return err
	}
	exchange, err := rabbitmq.OpenExchange(ctx, config.RabbitMQ.queues(door, b.Shards.Count(), log), config.Events.Exchange)
	if err != nil {
		return err
	}
	b.onClose(exchange.Close)
	b.Endpoints = append(b.Endpoints, exchange)
	return nil
}

// telling is what keepers report about telling.
type telling struct {
	count   func(endpoint string, outcome keeper.Telling)
	backlog func(keeper.Backlog)
}

// newTelling names what telling counts. Endpoints are named by the configuration.
func newTelling(registerer prometheus.Registerer, endpoints []seckill.Endpoint) telling {
	told := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "seckill_events_total", Help: "Tries to tell an endpoint of an event, by outcome; died ones wait for an operator.",
	}, []string{"endpoint", "outcome"})
	waiting := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "seckill_events_waiting", Help: "Events that an endpoint is still to be told.",
	}, []string{"endpoint", "shard"})
	oldest := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "seckill_events_waiting_seconds", Help: "How long the oldest of them has waited.",
	}, []string{"endpoint", "shard"})
	registerer.MustRegister(told, waiting, oldest)
	for _, endpoint := range endpoints {
		for _, outcome := range []keeper.Telling{keeper.TellingDone, keeper.TellingFailed, keeper.TellingDied} {
			told.WithLabelValues(endpoint.Name(), string(outcome))
		}
	}
	return telling{
		count: func(endpoint string, outcome keeper.Telling) { told.WithLabelValues(endpoint, string(outcome)).Inc() },
		backlog: func(b keeper.Backlog) {
			shard := fmt.Sprint(b.Shard)
			waiting.WithLabelValues(b.Endpoint, shard).Set(float64(b.Events))
			oldest.WithLabelValues(b.Endpoint, shard).Set(b.Age.Seconds())
		},
	}
}

// tellTurns are the jobs that tell of what happens on one shard: one for each endpoint, so that none waits for another.
func (b *Backend) tellTurns(ports keeper.Ports, of string) []keeper.Turn {
	names := make([]string, len(b.Endpoints))
	for i, endpoint := range b.Endpoints {
		names[i] = endpoint.Name()
	}
	retire := keeper.Turn{Name: "retire events" + of, Every: retireEvery, Job: keeper.NewRetire(ports, names)}
	if len(names) == 0 {
		return []keeper.Turn{{Name: "drop events" + of, Every: dropEvery, Job: keeper.NewSpread(ports, nil)}, retire}
	}
	turns := []keeper.Turn{
		retire,
		{Name: "spread events" + of, Every: tellEvery, Job: keeper.NewSpread(ports, names)},
		{Name: "count events" + of, Every: backlogEvery, Job: keeper.NewBacklogs(ports, names, b.telling.backlog)},
	}
	for _, endpoint := range b.Endpoints {
		turns = append(turns, keeper.Turn{
			Name: "tell " + endpoint.Name() + of, Every: tellEvery, Job: keeper.NewTell(ports, endpoint, b.telling.count),
		})
	}
	return turns
}
