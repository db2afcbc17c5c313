package rabbitmq

import (
	"errors"
	"fmt"
	"math"

	amqp "github.com/rabbitmq/amqp091-go"
)

// topology names and declares what lives on the broker.
type topology struct {
	prefix        string
	shards        int
	deliveryLimit int
}

// orders is the queue of one home shard.
func (t topology) orders(shard int) string { return fmt.Sprintf("%s.orders.%d", t.prefix, shard) }

// dead is the exchange that dead letters go to, with the name of their shard's queue as the routing key.
func (t topology) dead() string { return t.prefix + ".dead" }

// deadOf is the queue that keeps the dead letters of one shard.
func (t topology) deadOf(shard int) string { return fmt.Sprintf("%s.dead.%d", t.prefix, shard) }

// deadReader is a queue that exists while somebody reads the dead letters.
func (t topology) deadReader() string { return t.prefix + ".dead.reader" }

// progress is the exchange on which consumers say how far they are.
func (t topology) progress() string { return t.prefix + ".progress" }

// nowhere is the name of a queue that does not exist: what the default exchange is given for it is confirmed and dropped.
func (t topology) nowhere() string { return t.prefix + ".probe" }

// declare makes whatever is missing and changes nothing that is there; it may be repeated at any time. Queues are declared
// without waiting for each: a queue whose replicas are away would take seconds to describe itself, and must not keep the
// others from being used. What the broker refuses closes the channel, so the last step, which is waited for, reports it.
func (t topology) declare(conn *amqp.Connection) error {
	channel, err := conn.Channel()
	if err != nil {
		return fmt.Errorf("declare queues: %w", err)
	}
	err = errors.Join(t.declareDead(channel), t.declareOrders(channel),
		channel.ExchangeDeclare(t.progress(), amqp.ExchangeFanout, true, false, false, false, nil))
	if err = errors.Join(err, channel.Close()); err != nil {
		return fmt.Errorf("declare queues: %w", err)
	}
	return nil
}

// isThere says whether every queue exists, without waiting for what each would say of itself.
func (t topology) isThere(conn *amqp.Connection) (bool, error) {
	channel, err := conn.Channel()
	if err != nil {
		return false, fmt.Errorf("look for queues: %w", err)
	}
	closed := channel.NotifyClose(make(chan *amqp.Error, 1))
	for shard := range t.shards {
		for _, name := range []string{t.orders(shard), t.deadOf(shard)} {
			if err == nil {
				_, err = channel.QueueDeclarePassive(name, true, false, false, true, nil)
			}
		}
	}
	if err == nil {
		// The first answer that is waited for: what is missing closes the channel.
		err = channel.ExchangeDeclarePassive(t.progress(), amqp.ExchangeFanout, true, false, false, false, nil)
	}
	if err == nil {
		return true, channel.Close()
	}
	if reason := <-closed; reason != nil && reason.Code == amqp.NotFound {
		return false, nil
	}
	return false, fmt.Errorf("look for queues: %w", err)
}

func (t topology) declareDead(channel *amqp.Channel) error {
	if err := channel.ExchangeDeclare(t.dead(), amqp.ExchangeDirect, true, false, false, true, nil); err != nil {
		return err
	}
	arguments := amqp.Table{
		amqp.QueueTypeArg: amqp.QueueTypeQuorum,
		// Every look at the dead letters gives them back. The default of RabbitMQ 4 would drop them at the 21st.
		"x-delivery-limit": int32(math.MaxInt32),
	}
	for shard := range t.shards {
		if _, err := channel.QueueDeclare(t.deadOf(shard), true, false, false, true, arguments); err != nil {
			return err
		}
		if err := channel.QueueBind(t.deadOf(shard), t.deadOf(shard), t.dead(), true, nil); err != nil {
			return err
		}
	}
	return nil
}

func (t topology) declareOrders(channel *amqp.Channel) error {
	for shard := range t.shards {
		arguments := amqp.Table{
			amqp.QueueTypeArg:           amqp.QueueTypeQuorum,
			"x-delivery-limit":          t.deliveryLimit,
			"x-dead-letter-exchange":    t.dead(),
			"x-dead-letter-routing-key": t.deadOf(shard),
			"x-dead-letter-strategy":    "at-least-once", // the default may lose the letter on its way
			"x-overflow":                "reject-publish",
			"x-queue-leader-locator":    "balanced",
		}
		if _, err := channel.QueueDeclare(t.orders(shard), true, false, false, true, arguments); err != nil {
			return err
		}
	}
	return nil
}
