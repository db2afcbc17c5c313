package broker

import (
	"iter"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// State is where a message is.
type State string

// The states of a message.
const (
	Ready  State = "ready"
	Leased State = "leased"
	Held   State = "held"
)

// Messages are a shard's messages in order and where they are, for whoever checks invariants: read before the next call, and
// changed by nobody.
func (b *Broker) Messages(shard int) iter.Seq2[seckill.Outgoing, State] {
	return func(yield func(seckill.Outgoing, State) bool) {
		for _, m := range b.queues[shard].messages {
			if !yield(m.Outgoing, m.state()) {
				return
			}
		}
	}
}

func (m *message) state() State {
	switch {
	case m.held:
		return Held
	case m.holder != nil:
		return Leased
	default:
		return Ready
	}
}

// Letters are the dead letters, oldest first; under the same terms.
func (b *Broker) Letters() []seckill.DeadLetter { return b.letters }
