package rabbitmq_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/seckill-dev/seckill/internal/rabbitmq"
	"github.com/seckill-dev/seckill/internal/seckill"
)

func event(id seckill.ID, kind seckill.EventType) seckill.Event {
	return seckill.Event{
		ID: id, Type: kind, Subject: 9, Version: 2, Data: []byte(`{"id":"9"}`), At: time.Date(2026, 3, 20, 10, 0, 0, 0, time.UTC),
	}
}

// openExchange opens an exchange that ends with the test.
func openExchange(t *testing.T, config rabbitmq.Config, name string) *rabbitmq.Exchange {
	t.Helper()
	x, err := rabbitmq.OpenExchange(t.Context(), config, name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = x.Close() })
	return x
}

// declaring opens an exchange that has to be made, and is deleted when the test is over.
func declaring(t *testing.T, config rabbitmq.Config) (x *rabbitmq.Exchange, name string) {
	t.Helper()
	name = config.Prefix + ".events"
	channel := channelTo(t, config.URLs[0])
	t.Cleanup(func() { _ = channel.ExchangeDelete(name, false, false) })
	return openExchange(t, config, name), name
}

// channelTo is a channel of the shop's own.
func channelTo(t *testing.T, url string) *amqp.Channel {
	t.Helper()
	conn, err := amqp.Dial(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	channel, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	return channel
}

// bind consumes what an exchange has for some keys.
func bind(t *testing.T, url, exchange string, keys ...string) <-chan amqp.Delivery {
	t.Helper()
	channel := channelTo(t, url)
	queue, err := channel.QueueDeclare("", false, true, true, false, nil)
	for _, key := range keys {
		if err == nil {
			err = channel.QueueBind(queue.Name, key, exchange, false, nil)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	deliveries, err := channel.Consume(queue.Name, "", true, true, false, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	return deliveries
}

func next(t *testing.T, deliveries <-chan amqp.Delivery) amqp.Delivery {
	t.Helper()
	select {
	case d := <-deliveries:
		return d
	case <-time.After(readyWithin):
		t.Fatal("nothing came")
		return amqp.Delivery{}
	}
}

func mustTell(t *testing.T, x *rabbitmq.Exchange, e seckill.Event) {
	t.Helper()
	eventually(t, "the exchange is told", func() bool { return x.Tell(t.Context(), e) == nil })
}

func TestExchange(t *testing.T) {
	t.Parallel()
	t.Run("is told by type, with the event's id, and keeps what it is told", func(t *testing.T) {
		t.Parallel()
		config := configFor(t, env.RabbitMQ(t))
		x, name := declaring(t, config)
		mustTell(t, x, event(1, seckill.EventOrderCreated)) // nobody listens yet
		orders := bind(t, config.URLs[0], name, "order.*")
		mustTell(t, x, event(2, seckill.EventSaleStarted))
		mustTell(t, x, event(3, seckill.EventOrderPaid))
		d := next(t, orders)
		const body = `{"id":"3","type":"order.paid","subject":"9","version":2,"timestamp":"2026-03-20T10:00:00Z","data":{"id":"9"}}`
		if d.MessageId != "3" || d.Type != "order.paid" || d.RoutingKey != "order.paid" || string(d.Body) != body {
			t.Errorf("got %+v", d)
		}
		if d.DeliveryMode != amqp.Persistent || d.ContentType != "application/json" || !d.Timestamp.Equal(event(3, "").At) {
			t.Errorf("got %+v", d)
		}
		if x.Name() != "rabbitmq" {
			t.Errorf("is called %s", x.Name())
		}
	})
	t.Run("is used as it is when it is there", func(t *testing.T) {
		t.Parallel()
		config := configFor(t, env.RabbitMQ(t))
		name := config.Prefix + ".fanout"
		if err := channelTo(t, config.URLs[0]).ExchangeDeclare(name, amqp.ExchangeFanout, false, true, false, false, nil); err != nil {
			t.Fatal(err)
		}
		all := bind(t, config.URLs[0], name, "")
		mustTell(t, openExchange(t, config, name), event(1, seckill.EventOrderPaid))
		if d := next(t, all); d.MessageId != "1" {
			t.Errorf("got %+v", d)
		}
	})
	t.Run("is made again when it is gone, and keeps no order from its queue meanwhile", losesTheExchange)
	t.Run("is told by many at once", tellsManyAtOnce)
	t.Run("is unavailable while the broker is away, and after closing", func(t *testing.T) {
		t.Parallel()
		config := configFor(t, "amqp://guest:guest@127.0.0.1:1/")
		x := openExchange(t, config, "events")
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		wantUnavailable(t, x.Tell(ctx, event(1, seckill.EventOrderPaid)))
		if err := x.Close(); err != nil {
			t.Fatal(err)
		}
		wantUnavailable(t, x.Tell(ctx, event(1, seckill.EventOrderPaid)))
	})
}

func tellsManyAtOnce(t *testing.T) {
	t.Parallel()
	const many = 200
	config := configFor(t, env.RabbitMQ(t))
	x, name := declaring(t, config)
	mustTell(t, x, event(1, seckill.EventSaleStarted))
	all := bind(t, config.URLs[0], name, "order.paid")
	var telling sync.WaitGroup
	for id := range seckill.ID(many) {
		telling.Go(func() {
			if err := x.Tell(t.Context(), event(id+1, seckill.EventOrderPaid)); err != nil {
				t.Error(err)
			}
		})
	}
	telling.Wait()
	came := make(map[string]bool)
	for len(came) < many {
		came[next(t, all).MessageId] = true
	}
}

func losesTheExchange(t *testing.T) {
	t.Parallel()
	config := configFor(t, env.RabbitMQ(t))
	deleteAfter(t, config)
	q := openQueue(t, config)
	x, name := declaring(t, config)
	mustTell(t, x, event(1, seckill.EventOrderPaid))
	if err := channelTo(t, config.URLs[0]).ExchangeDelete(name, false, false); err != nil {
		t.Fatal(err)
	}
	if err := x.Tell(t.Context(), event(2, seckill.EventOrderPaid)); err == nil {
		t.Fatal("told an exchange that is gone")
	} else if errors.Is(err, seckill.ErrPoison) {
		t.Fatalf("got %v", err)
	}
	mustPublish(t, q, "an order")
	mustTell(t, x, event(2, seckill.EventOrderPaid))
	bound := bind(t, config.URLs[0], name, "#")
	mustTell(t, x, event(3, seckill.EventOrderPaid))
	if d := next(t, bound); d.MessageId != "3" {
		t.Errorf("got %+v", d)
	}
}
