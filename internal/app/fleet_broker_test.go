package app_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/crowd"
	"github.com/seckill-dev/seckill/internal/rabbitmq"
	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/testenv/fleet"
)

const (
	brokerUnits    = 120
	brokerShoppers = 240
	// brokerSpread keeps the crowd coming while something is broken.
	brokerSpread = 4 * time.Second
	// brokerSellsWithin is how soon the shop must sell again when the broker answers; tests share their machine, so they allow more.
	brokerSellsWithin     = 5 * time.Second
	brokerSellsWithinBusy = 3 * brokerSellsWithin
)

// brokerFleet is a fleet whose broker is broken in one way after the other, with a sale of its own for each, and one long
// sale beside them at which a probe sees what a shopper would hear.
type brokerFleet struct {
	*distributed
	probe *probe
	logs  *fleetLogs
}

func startBrokerFleet(t *testing.T) *brokerFleet {
	t.Helper()
	logs := &fleetLogs{t: t}
	f := &brokerFleet{logs: logs, distributed: startFleet(t, func(c *fleet.Config) { c.Output = logs.writer })}
	f.create(probeUnits)
	if err := f.preload(); err != nil {
		t.Fatal(err)
	}
	f.probe = newProbe(f.distributed)
	return f
}

// within runs the rest of the fleet's life inside a subtest.
func (f *brokerFleet) within(t *testing.T) {
	t.Helper()
	outer := f.t
	f.t, f.probe.t = t, t
	f.logs.begin(t)
	t.Cleanup(func() {
		f.t, f.probe.t = outer, outer
		f.logs.begin(outer)
	})
}

// TestFleetBroker breaks the broker under a sale. Whatever happens to it: shoppers hear busy and no stock is touched while
// it is away, the shop sells again soon after, and everything accepted becomes an order.
func TestFleetBroker(t *testing.T) {
	t.Parallel()
	f := startBrokerFleet(t)
	for _, it := range []struct {
		does string
		test func(f *brokerFleet)
	}{
		{"sells on after the broker was killed and started again", brokerKilled},
		{"sells on after the broker hung for 5 s", brokerHung},
		{"sells on after publishers were blocked for 3 s", brokerBlocked},
		{"sells on after the queues were deleted under it, and raises an alarm", queuesDeleted},
		{"buries a message nobody understands, with an alarm, and settles its neighbours", poisoned},
		{"loses nothing when the broker comes back empty", brokerWiped},
	} {
		t.Run(it.does, func(t *testing.T) {
			f.within(t)
			it.test(f)
		})
	}
	f.probe.settle()
}

func brokerKilled(f *brokerFleet) {
	done := f.sellSome()
	f.RabbitMQ.Kill()
	f.closesWithin(brokerSellsWithin)
	f.touchesNoStock()
	f.must(f.RabbitMQ.Restart(f.t.Context()))
	f.sellsAgain()
	f.judge(<-done, brokerUnits)
}

func brokerHung(f *brokerFleet) {
	done := f.sellSome()
	f.must(f.RabbitMQ.Stop())
	thaw := time.After(5 * time.Second)
	f.closesWithin(brokerSellsWithin)
	f.touchesNoStock()
	<-thaw
	f.must(f.RabbitMQ.Continue())
	f.sellsAgain()
	f.judge(<-done, brokerUnits)
}

func brokerBlocked(f *brokerFleet) {
	done := f.sellSome()
	f.must(f.RabbitMQ.BlockPublishers(f.t.Context()))
	free := time.After(3 * time.Second)
	f.closesWithin(brokerSellsWithin)
	f.touchesNoStock()
	<-free
	f.must(f.RabbitMQ.UnblockPublishers(f.t.Context()))
	f.sellsAgain()
	f.judge(<-done, brokerUnits)
	f.wantAlarm("rabbitmq blocks publishers")
}

// queuesDeleted deletes them with messages in them: the workers are stopped for the moment. What was in them comes from
// the outbox, what is published meanwhile is unroutable.
func queuesDeleted(f *brokerFleet) {
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

func poisoned(f *brokerFleet) {
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
func brokerWiped(f *brokerFleet) {
	done := f.sellSome()
	f.withoutWorkers(func() {
		f.probe.mustBuy()
		f.must(f.RabbitMQ.RestartEmpty(f.t.Context()))
	})
	f.sellsAgain()
	f.judge(<-done, brokerUnits)
}

// sellSlowly starts a sale whose crowd comes little by little.
func (f *brokerFleet) sellSlowly() <-chan crowdResult {
	f.t.Helper()
	f.create(brokerUnits)
	f.must(f.preload())
	return f.crowd(brokerShoppers, func(c *crowd.Config) { c.Spread = brokerSpread })
}

// sellSome starts a sale and returns in the middle of it.
func (f *brokerFleet) sellSome() <-chan crowdResult {
	f.t.Helper()
	done := f.sellSlowly()
	f.awaitSold(brokerUnits / 10)
	return done
}

func (f *brokerFleet) must(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

// withoutWorkers freezes them, so that what is accepted stays in the queue.
func (f *brokerFleet) withoutWorkers(do func()) {
	f.t.Helper()
	for _, worker := range f.Nodes[fleet.Worker] {
		f.must(worker.Stop())
	}
	defer func() {
		for _, worker := range f.Nodes[fleet.Worker] {
			f.must(worker.Continue())
		}
	}()
	f.probe.mustBuy()
	do()
}

// closesWithin waits until every api answers busy.
func (f *brokerFleet) closesWithin(limit time.Duration) {
	f.t.Helper()
	began := time.Now()
	for door := range f.probe.doors {
		f.await("an api closes admission", func() bool { return f.probe.buy(door) == seckill.Busy })
	}
	if took := time.Since(began); took > limit {
		f.t.Errorf("admission closed after %v", took)
	} else {
		f.t.Logf("admission closed after %v", took)
	}
}

// touchesNoStock has shoppers come to a shop whose broker is away.
func (f *brokerFleet) touchesNoStock() {
	f.t.Helper()
	const shoppers = 20
	before := f.probe.available()
	for n := range shoppers {
		if reason := f.probe.buy(n % len(f.probe.doors)); reason != seckill.Busy {
			f.t.Errorf("a shopper hears %q", reason)
		}
	}
	if after := f.probe.available(); after != before {
		f.t.Errorf("%d units were available before, %d after %d shoppers heard busy", before, after, shoppers)
	}
}

// sellsAgain waits until every api accepts a purchase. The time counts from the call: the broker answers.
func (f *brokerFleet) sellsAgain() {
	f.t.Helper()
	began := time.Now()
	for door := range f.probe.doors {
		f.await("an api sells again", func() bool { return f.probe.buy(door) == "" })
	}
	took := time.Since(began)
	f.t.Logf("sells again after %v (wanted within %v on an idle machine)", took, brokerSellsWithin)
	if took > brokerSellsWithinBusy {
		f.t.Errorf("sells again only after %v", took)
	}
}

func (f *brokerFleet) wantAlarm(text string) {
	f.t.Helper()
	f.await("an alarm says "+text, func() bool { return f.logs.has("level=ERROR", text) })
}

func ordersQueue(shard int) string { return fmt.Sprintf("%s.orders.%d", rabbitmq.PrefixDefault, shard) }

// openQueue is a client of the broker beside the fleet's own.
func (f *brokerFleet) openQueue() *rabbitmq.Queue {
	f.t.Helper()
	queue, err := rabbitmq.Open(f.t.Context(), rabbitmq.Config{
		URLs: []string{f.RabbitMQ.URL()}, Shards: len(f.Shards), Clock: seckill.SystemClock{}, Log: f.logs.logger(),
	})
	f.must(err)
	f.t.Cleanup(func() { _ = queue.Close() })
	f.must(queue.AwaitReady(f.t.Context()))
	return queue
}
