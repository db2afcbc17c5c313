package broker

import (
	"fmt"
	"sync"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

var (
	_ seckill.Publisher      = (*Broker)(nil)
	_ seckill.Consumer       = (*Broker)(nil)
	_ seckill.QueueWatch     = (*Broker)(nil)
	_ seckill.DeadLetterDesk = (*Broker)(nil)
	_ seckill.Drain          = (*Broker)(nil)
	_ seckill.Subscription   = (*Subscription)(nil)
)

// Settings are set before the first call.
type Settings struct {
	Shards   int
	Prefetch int
	// RedeliveriesMax is how often a message comes back before it is a dead letter; 0 is for ever.
	RedeliveriesMax int
	// Manual leaves every delivery to Deliver.
	Manual bool
	// Between is called between two steps of one call, where others may come in; an error ends the call there. nil is
	// nothing.
	Between func(what string) error
	// Gone is told of every message that is acknowledged, and must not call the broker. nil is told nothing.
	Gone     func(seckill.Outgoing)
	Mistakes Mistakes
}

// Mistakes are guards that the queue, or who uses it, could lack.
type Mistakes struct {
	Unroutable bool // confirms a message that no queue takes
	AutoAck    bool // forgets a message as soon as it is handed on
	AnyTag     bool // a late acknowledgement is taken for one of another subscription's messages
}

// Broker holds the queues of all shards. Safe for concurrent use.
type Broker struct {
	Settings

	clock seckill.Clock

	mu      sync.Mutex
	queues  []*queue
	letters []seckill.DeadLetter
	reading bool // somebody decides about a dead letter
	named   int64
	down    bool
	closed  bool
	blocked bool
}

// New is a broker with empty queues.
func New(clock seckill.Clock, settings Settings) *Broker {
	b := &Broker{Settings: settings, clock: clock}
	for range settings.Shards {
		b.queues = append(b.queues, &queue{})
	}
	return b
}

// queue is one shard's.
type queue struct {
	messages   []*message // in order
	consumers  []*Subscription
	leaderless bool
	overdue    bool // it was sent something meanwhile
	ages       ages
}

// message is one on its way. holder has it while it is leased.
type message struct {
	seckill.Outgoing

	name         string
	at           time.Time
	held         bool
	unconfirmed  bool
	holder       *Subscription
	tag          uint64
	redeliveries int
}

func (m *message) ready() bool { return !m.held && m.holder == nil }

// Close ends the broker for good.
func (b *Broker) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.endAll()
	b.closed = true
	return nil
}

// queue finds a shard's queue, if the broker answers at all.
func (b *Broker) queue(shard int) (*queue, error) {
	switch {
	case b.closed:
		return nil, fmt.Errorf("%w: closed", seckill.ErrUnavailable)
	case b.down:
		return nil, fmt.Errorf("%w: the broker is down", seckill.ErrUnavailable)
	case shard < 0 || shard >= len(b.queues):
		return nil, fmt.Errorf("%w: there is no shard %d", seckill.ErrUnavailable, shard)
	}
	return b.queues[shard], nil
}

func (b *Broker) next() int64 {
	b.named++
	return b.named
}

func (b *Broker) gone(m *message) {
	if b.Gone != nil {
		b.Gone(m.Outgoing)
	}
}

func (b *Broker) between(what string) error {
	if b.Between == nil {
		return nil
	}
	return b.Between(what)
}
