package seckill

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// MessageVersion is the version of the queue message that this code writes.
const MessageVersion = 1

// Message is one batch of reservations on its way from Redis to SQL. Redis writes its bytes (reserve.lua), so its form
// is fixed: {"v":1,"batch":"…","item":"…","epoch":1,"at":1700000000000,"sold":12,"reservations":[["id","user",1,"hash"],…]}.
type Message struct {
	Batch ID
	Item  ID
	Epoch int64
	// At is Redis time of the reservation, in Unix milliseconds.
	At int64
	// Sold is how many units of the epoch were reserved after this batch.
	Sold         int64
	Reservations []Reserved
}

// Reserved is one accepted reservation inside a message.
type Reserved struct {
	ID       ID
	User     UserID
	Quantity int64
	KeyHash  string
}

type wireMessage struct {
	Version      int               `json:"v"`
	Batch        ID                `json:"batch"`
	Item         ID                `json:"item"`
	Epoch        int64             `json:"epoch"`
	At           int64             `json:"at"`
	Sold         int64             `json:"sold"`
	Reservations []json.RawMessage `json:"reservations"`
}

// Encode writes the message as reserve.lua does.
func (m Message) Encode() []byte {
	b := fmt.Appendf(nil, `{"v":%d,"batch":"%d","item":"%d","epoch":%d,"at":%d,"sold":%d,"reservations":[`,
		MessageVersion, m.Batch, m.Item, m.Epoch, m.At, m.Sold)
	for i, r := range m.Reservations {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `["`...)
		b = strconv.AppendInt(b, int64(r.ID), 10)
		b = append(b, `","`...)
		b = append(b, r.User...)
		b = append(b, `",`...)
		b = strconv.AppendInt(b, r.Quantity, 10)
		b = append(b, `,"`...)
		b = append(b, r.KeyHash...)
		b = append(b, `"]`...)
	}
	return append(b, "]}"...)
}

// DecodeMessage reads and checks a message. Whatever it refuses can never be settled and belongs to the dead letters.
func DecodeMessage(body []byte) (Message, error) {
	wire, reservations, fixed := decodeForm(body)
	if !fixed {
		var err error
		if wire, reservations, err = decodeJSON(body); err != nil {
			return Message{}, fmt.Errorf("decode message: %w", err)
		}
	}
	if wire.Version != MessageVersion {
		return Message{}, fmt.Errorf("decode message: version %d is not known", wire.Version)
	}
	m := Message{Batch: wire.Batch, Item: wire.Item, Epoch: wire.Epoch, At: wire.At, Sold: wire.Sold, Reservations: reservations}
	if m.Batch <= 0 || m.Item <= 0 || m.Epoch <= 0 || m.Sold <= 0 || len(reservations) == 0 {
		return Message{}, errors.New("decode message: batch, item, epoch, sold or reservations are missing")
	}
	for i, r := range reservations {
		if err := r.check(); err != nil {
			return Message{}, fmt.Errorf("decode message: reservation %d: %w", i, err)
		}
	}
	return m, nil
}

func decodeJSON(body []byte) (wire wireMessage, reservations []Reserved, err error) {
	if err := json.Unmarshal(body, &wire); err != nil {
		return wire, nil, err
	}
	reservations = make([]Reserved, len(wire.Reservations))
	for i, raw := range wire.Reservations {
		if err := reservations[i].decode(raw); err != nil {
			return wire, nil, fmt.Errorf("reservation %d: %w", i, err)
		}
	}
	return wire, reservations, nil
}

func (r *Reserved) decode(raw json.RawMessage) error {
	fields := []any{&r.ID, &r.User, &r.Quantity, &r.KeyHash}
	if err := json.Unmarshal(raw, &fields); err != nil {
		return err
	}
	if len(fields) != 4 {
		return errReserved
	}
	return nil
}

var errReserved = errors.New("want [id, user, quantity, key hash]")

func (r Reserved) check() error {
	if r.ID <= 0 || r.Quantity < 1 || r.Quantity > QuantityMax || !isKeyHash(r.KeyHash) {
		return errReserved
	}
	return r.User.Validate()
}

// Outgoing is one message to publish. Item and Epoch repeat what the body says, for queues that can count by them.
type Outgoing struct {
	Shard int // the item's home shard
	Batch ID
	Item  ID
	Epoch int64
	Body  []byte
}

// Publisher puts messages on the durable queue. Safe for concurrent use.
type Publisher interface {
	// Publish returns nil only when the message is durable. ErrUnavailable: it certainly is not. Any other error: unknown,
	// the relay decides. Publishing a batch again is harmless.
	Publish(ctx context.Context, message Outgoing) error
	// Available is nil when a message for the shard could be published now; else it says why not and wraps ErrUnavailable.
	// It does no I/O and is asked before every reservation, so that no stock is touched for a message that has nowhere to
	// go. nil promises nothing, and what it refuses may be published all the same: the relay does not ask.
	Available(shard int) error
}

// Delivery is one message received.
type Delivery struct {
	Tag uint64
	// Message is what the queue calls the message, the same at every delivery; for logs.
	Message     string
	Body        []byte
	Redelivered bool
}

// Subscription is one consumer of one shard's queue.
type Subscription interface {
	// Deliveries yields messages, each leased to this consumer until acknowledged; closed when the subscription ends. At
	// most the queue's prefetch are outstanding.
	Deliveries() <-chan Delivery
	// Ack removes messages for good. Acknowledging what is no longer leased is harmless.
	Ack(ctx context.Context, deliveries []Delivery) error
	// DeadLetter moves a message, or bytes of it, to the dead letters with a cause and, if it is the delivery's own body,
	// removes it from the queue in the same step.
	DeadLetter(ctx context.Context, delivery Delivery, cause string) error
	// Close gives back what is not acknowledged, for others to take at once.
	Close() error
}

// Consumer opens subscriptions.
type Consumer interface {
	Subscribe(ctx context.Context, shard int) (Subscription, error)
}

// QueueState is what can be seen of one shard's queue.
type QueueState struct {
	Ready     int64
	Unacked   int64
	Consumers int
	// Age is how long the oldest ready message has waited; 0 when nothing is ready.
	Age  time.Duration
	Dead int64
}

// QueueWatch looks at queues.
type QueueWatch interface {
	Look(ctx context.Context, shard int) (QueueState, error)
}

// DeadLetter is a message nobody could settle.
type DeadLetter struct {
	ID    ID
	Shard int
	Body  []byte
	Cause string
	At    time.Time
}

// DeadLetters reads the dead letters, oldest first.
type DeadLetters interface {
	List(ctx context.Context, after ID, limit int) ([]DeadLetter, error)
}

// DeadLetterDesk is where an operator decides what becomes of dead letters.
type DeadLetterDesk interface {
	DeadLetters
	// Letter reads one, or ErrNotFound.
	Letter(ctx context.Context, id ID) (DeadLetter, error)
	// Replay puts one back into its shard's queue and then drops it here; a crash in between leaves both, which settling
	// tells apart. ErrNotFound.
	Replay(ctx context.Context, id ID) error
	// Discard drops one for good. ErrNotFound.
	Discard(ctx context.Context, id ID) error
}

// Drained is the answer of Drain.
type Drained struct {
	Done bool
	// Target is how many units of the epoch may have been promised.
	Target int64
}

// Drain says whether everything promised in a sealing epoch has been settled (or how much is missing for good). The
// stock is as read after close.
type Drain interface {
	Drained(ctx context.Context, stock Stock) (Drained, error)
}
