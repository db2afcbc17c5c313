package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

const (
	queueName = "naive.orders"
	// One connection with 16 channels and 8 with 2 were as fast, within the noise.
	connections    = 4
	channelsEach   = 4
	confirmTimeout = 5 * time.Second
	returnsRoom    = 1024
)

// queue publishes on several channels; many messages wait for their confirm at once.
type queue struct {
	connections []*amqp.Connection
	channels    []*amqp.Channel
	turn        atomic.Uint64
	returned    atomic.Int64
}

func openQueue(url string) (*queue, error) {
	q := &queue{}
	for range connections {
		connection, err := amqp.Dial(url)
		if err != nil {
			return nil, err
		}
		q.connections = append(q.connections, connection)
		for range channelsEach {
			if err := q.addChannel(connection); err != nil {
				return nil, err
			}
		}
	}
	return q, q.declare(q.channels[0])
}

func (q *queue) addChannel(connection *amqp.Connection) error {
	channel, err := connection.Channel()
	if err != nil {
		return err
	}
	returns := channel.NotifyReturn(make(chan amqp.Return, returnsRoom))
	go func() {
		for range returns {
			q.returned.Add(1)
		}
	}()
	q.channels = append(q.channels, channel)
	return channel.Confirm(false)
}

// declare begins with an empty queue.
func (q *queue) declare(channel *amqp.Channel) error {
	if _, err := channel.QueueDelete(queueName, false, false, false); err != nil {
		return err
	}
	_, err := channel.QueueDeclare(queueName, true, false, false, false, amqp.Table{amqp.QueueTypeArg: amqp.QueueTypeQuorum})
	return err
}

// publish returns when the broker has the message. The queue exists as long as this process, so nothing comes back; if it
// did, everybody would hear of it from then on.
func (q *queue) publish(ctx context.Context, o order) error {
	body, err := json.Marshal(o)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, confirmTimeout)
	defer cancel()
	channel := q.channels[q.turn.Add(1)%uint64(len(q.channels))]
	confirm, err := channel.PublishWithDeferredConfirm("", queueName, true, false, amqp.Publishing{
		ContentType: "application/json", DeliveryMode: amqp.Persistent, MessageId: o.ID, Body: body,
	})
	if err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	acked, err := confirm.WaitContext(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("wait for the confirm: %w", err)
	case !acked || q.returned.Load() > 0:
		return errors.New("the broker does not take it")
	}
	return nil
}

func (q *queue) close() {
	_, _ = q.channels[0].QueueDelete(queueName, false, false, false) // the next one does it again
	for _, connection := range q.connections {
		_ = connection.Close()
	}
}
