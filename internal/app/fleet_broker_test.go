package app_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/crowd"
	"github.com/seckill-dev/seckill/internal/rabbitmq"
	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	brokerUnits    = 120
	brokerShoppers = 240
	// brokerSpread keeps the crowd coming while something is broken.
	brokerSpread = 4 * time.Second
)

// TestFleetBroker breaks the broker under a sale. Whatever happens to it: shoppers hear busy and no stock is touched while
// it is away, the shop sells again soon after, and everything accepted becomes an order.
func TestFleetBroker(t *testing.T) {
	t.Parallel()
	f := startProbed(t)
	f.play(
		probing{"sells on after the broker was killed and started again", brokerKilled},
		probing{"sells on after the broker hung for 5 s", brokerHung},
		probing{"sells on after publishers were blocked for 3 s", brokerBlocked},
		probing{"sells on after the queues were deleted under it, and raises an alarm", queuesDeleted},
		probing{"buries a message nobody understands, with an alarm, and settles its neighbours", poisoned},
		probing{"loses nothing when the broker comes back empty", brokerWiped},
	)
}

func brokerKilled(f *probedFleet) {
	done := f.sellSome()
	f.RabbitMQ.Kill()
	f.closes()
	f.touchesNoStock()
	f.must(f.RabbitMQ.Restart(f.t.Context()))
	f.sellsAgain()
	f.judge(<-done, brokerUnits)
}

func brokerHung(f *probedFleet) {
	done := f.sellSome()
	f.must(f.RabbitMQ.Stop())
	thaw := time.After(5 * time.Second)
	f.closes()
	f.touchesNoStock()
	<-thaw
	f.must(f.RabbitMQ.Continue())
	f.sellsAgain()
	f.judge(<-done, brokerUnits)
}

func brokerBlocked(f *probedFleet) {
	done := f.sellSome()
	f.must(f.RabbitMQ.BlockPublishers(f.t.Context()))
	free := time.After(3 * time.Second)
	f.closes()
	f.touchesNoStock()
	<-free
	f.must(f.RabbitMQ.UnblockPublishers(f.t.Context()))
	f.sellsAgain()
	f.judge(<-done, brokerUnits)
	f.wantAlarm("rabbitmq blocks publishers")
}

// queuesDeleted deletes them with messages in them: the workers are stopped for the moment. What was in them comes from
// the outbox, what is published meanwhile is unroutable.
func queuesDeleted(f *probedFleet) {
	done := f.sellSome()
	f.withoutWorkers(func() {
		for shard := range f.Shards {
			f.must(f.RabbitMQ.DeleteQueue(f.t.Context(), ordersQueue(shard)))
		}
	})
	f.sellsAgain()
	f.judge(<-done, brokerUnits)
	f.wantAlarm("rabbitmq has lost a queue")
}

func poisoned(f *probedFleet) {
	const garbage = `{"v":1,"batch":"poison"}`
	queue := f.openQueue()
	done := f.sellSome()
	if err := queue.Publish(f.t.Context(), seckill.Outgoing{Body: []byte(garbage)}); err != nil {
		f.t.Fatal(err)
	}
	f.judge(<-done, brokerUnits)
	f.wantAlarm(`msg="dead letter"`)
	f.wantAlarm("poison=undecodable")
	letters, err := queue.List(f.t.Context(), 0, 10)
	if err != nil || len(letters) != 1 || string(letters[0].Body) != garbage || letters[0].Cause == "" {
		f.t.Errorf("dead letters: %+v, %v", letters, err)
	}
}

// brokerWiped loses what was confirmed and not yet settled: the workers are stopped for the moment.
func brokerWiped(f *probedFleet) {
	done := f.sellSome()
	f.withoutWorkers(func() {
		f.probe.mustBuy()
		f.must(f.RabbitMQ.RestartEmpty(f.t.Context()))
	})
	f.sellsAgain()
	f.judge(<-done, brokerUnits)
}

// sellSlowly starts a sale whose crowd comes little by little.
func (f *probedFleet) sellSlowly() <-chan crowdResult {
	f.t.Helper()
	f.create(brokerUnits)
	f.must(f.preload())
	return f.crowd(brokerShoppers, func(c *crowd.Config) { c.Spread = brokerSpread })
}

// sellSome starts a sale and returns in the middle of it.
func (f *probedFleet) sellSome() <-chan crowdResult {
	f.t.Helper()
	done := f.sellSlowly()
	f.awaitSold(brokerUnits / 10)
	return done
}

func ordersQueue(shard int) string { return fmt.Sprintf("%s.orders.%d", rabbitmq.PrefixDefault, shard) }

// openQueue is a client of the broker beside the fleet's own.
func (f *probedFleet) openQueue() *rabbitmq.Queue {
	f.t.Helper()
	queue, err := rabbitmq.Open(f.t.Context(), rabbitmq.Config{
		URLs: []string{f.RabbitMQ.URL()}, Shards: len(f.Shards), Clock: seckill.SystemClock{}, Log: f.logs.logger(),
	})
	f.must(err)
	f.t.Cleanup(func() { _ = queue.Close() })
	f.must(queue.AwaitReady(f.t.Context()))
	return queue
}
