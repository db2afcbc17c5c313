package rabbitmq

import (
	"context"
	"errors"
	"fmt"
	"sync"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// ExchangeEndpoint is what dispatches to an exchange are kept under, whatever it is called: it may be renamed.
const ExchangeEndpoint = "rabbitmq"

// Exchange tells an exchange of events; whoever wants some binds a queue to it by their types. It has a connection of its
// own, so that nothing that happens to an exchange keeps orders from being queued. Safe for concurrent use.
type Exchange struct {
	name     string
	dialer   *dialer
	inFlight int
	link     *link[lane]

	stop    context.CancelFunc
	working sync.WaitGroup
}

var _ seckill.Endpoint = (*Exchange)(nil)

// OpenExchange begins to connect and returns at once, as Open does. An exchange that is there is used as it is; one that is
// missing is made, of the topic kind and durable.
func OpenExchange(ctx context.Context, config Config, name string) (*Exchange, error) {
	config, err := config.complete()
	if err != nil {
		return nil, err
	}
	brokers, err := config.brokers()
	if err != nil {
		return nil, err
	}
	if name == "" {
		return nil, errors.New("open an exchange: it has no name")
	}
	x := &Exchange{name: name, inFlight: config.InFlight, dialer: &dialer{Config: config, brokers: brokers}}
	x.link = newLink(x.dialer, "events", x.open)
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	x.stop = stop
	x.working.Go(func() { x.link.run(running) })
	return x, nil
}

func (x *Exchange) open(_ context.Context, conn *connection) (*lane, error) {
	if err := x.declare(conn.Connection); err != nil {
		return nil, fmt.Errorf("declare exchange %q: %w", x.name, err)
	}
	return openLane(conn, x.inFlight)
}

// declare looks first: what somebody has set up with other arguments would refuse to be declared with ours.
func (x *Exchange) declare(conn *amqp.Connection) error {
	err := onChannel(conn, func(channel *amqp.Channel) error {
		return channel.ExchangeDeclarePassive(x.name, amqp.ExchangeTopic, true, false, false, false, nil)
	})
	var refused *amqp.Error
	if !errors.As(err, &refused) || refused.Code != amqp.NotFound {
		return err
	}
	return onChannel(conn, func(channel *amqp.Channel) error {
		return channel.ExchangeDeclare(x.name, amqp.ExchangeTopic, true, false, false, false, nil)
	})
}

// onChannel uses a channel that is closed afterwards, by the broker if it refuses.
func onChannel(conn *amqp.Connection, do func(*amqp.Channel) error) error {
	channel, err := conn.Channel()
	if err != nil {
		return err
	}
	if err := do(channel); err != nil {
		return err
	}
	return channel.Close()
}

// Name implements seckill.Endpoint.
func (x *Exchange) Name() string { return ExchangeEndpoint }

// Tell implements seckill.Endpoint. The broker has the event when it says so; where no queue is bound, it is nobody's and
// told all the same.
func (x *Exchange) Tell(ctx context.Context, event seckill.Event) error {
	ctx, cancel := context.WithTimeout(ctx, confirmMax)
	defer cancel()
	if err := x.publish(ctx, event); err != nil {
		return fmt.Errorf("tell exchange %q: %w", x.name, err)
	}
	return nil
}

func (x *Exchange) publish(ctx context.Context, event seckill.Event) error {
	if x.dialer.alarm.isRaised() {
		return errBlocked
	}
	live, err := x.link.liveSoon(ctx)
	if err != nil {
		return err
	}
	return live.own.publish(ctx, parcel{
		exchange: x.name, key: string(event.Type),
		Publishing: amqp.Publishing{
			ContentType: "application/json", DeliveryMode: amqp.Persistent, MessageId: event.ID.String(),
			Type: string(event.Type), Timestamp: event.At, Body: event.Encode(),
		},
	})
}

// Close ends the connection; what is not confirmed by then will be told again.
func (x *Exchange) Close() error {
	x.stop()
	x.working.Wait()
	return nil
}
