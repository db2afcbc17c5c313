package broker_test

import (
	"testing"

	"github.com/seckill-dev/seckill/internal/contract"
	"github.com/seckill-dev/seckill/internal/handclock"
	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sim/broker"
)

const prefetch = 8

func TestQueue(t *testing.T) {
	t.Parallel()
	contract.Queue(t, func(*testing.T) contract.QueueFixture {
		clock := handclock.New()
		return fixture(broker.New(clock, broker.Settings{Shards: 2, Prefetch: prefetch}), clock)
	})
}

func fixture(b *broker.Broker, clock *handclock.Clock) contract.QueueFixture {
	return contract.QueueFixture{
		Publisher: b, Consumer: b, QueueWatch: b, DeadLetterDesk: b, Prefetch: prefetch,
		Lose:  func(_ testing.TB, s seckill.Subscription) { b.Cut(s) },
		Crash: func(testing.TB) contract.QueueFixture { b.Restart(); return fixture(b, clock) },
		Close: b.Close,
		Pass:  clock.Advance,
	}
}
