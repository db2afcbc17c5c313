package purchase_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/seckill-dev/seckill/internal/handclock"
	"github.com/seckill-dev/seckill/internal/purchase"
	"github.com/seckill-dev/seckill/internal/seckill"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	mug seckill.ID = 7000
	key            = "the-key-of-ann"
)

// world is a running service on fakes: one sale with one item, limit 2.
type world struct {
	t       *testing.T
	clock   *handclock.Clock
	lent    *fakeLent
	queue   *fakeQueue
	sql     *fakeSQL
	news    fakeNews
	service *purchase.Service

	shards fakeShards
	stop   context.CancelFunc
	ended  chan error
	mu     sync.Mutex
	bounds map[purchase.Bound]int
}

type setting func(*world, *purchase.Options)

func newWorld(t *testing.T, available int64, settings ...setting) *world {
	t.Helper()
	w := prepare(t, available, settings...)
	w.start()
	return w
}

// prepare makes a service that is not running yet.
func prepare(t *testing.T, available int64, settings ...setting) *world {
	t.Helper()
	w := build(handclock.New(), available)
	w.t = t
	options := purchase.Options{UserRate: -1}
	for _, set := range settings {
		set(w, &options)
	}
	service, err := purchase.New(w.ports(), options)
	if err != nil {
		t.Fatal(err)
	}
	w.service = service
	return w
}

// build makes the fakes.
func build(clock *handclock.Clock, available int64) *world {
	w := &world{
		clock: clock, shards: 1, lent: newFakeLent(clock, mug, available), queue: &fakeQueue{}, ended: make(chan error, 1),
		news: fakeNews{decided: make(chan []seckill.Decision)}, bounds: map[purchase.Bound]int{},
	}
	item := seckill.Item{ID: mug, Sale: 700, SKU: "MUG-1", Allotment: available, LimitPerUser: 2}
	w.sql = &fakeSQL{clock: clock, calls: map[string]int{}, stock: seckill.Stock{Item: mug, Epoch: 1, State: seckill.StockOpen, ReadAt: clock.Now()}}
	w.sql.sale = seckill.Sale{
		ID: 700, State: seckill.SaleLive, StartsAt: w.lent.state.OpensAt, EndsAt: w.lent.state.ClosesAt, Items: []seckill.Item{item},
	}
	return w
}

func (w *world) ports() purchase.Ports {
	return purchase.Ports{
		Lent: w.lent, Publisher: w.queue, Claims: fakeClaims{fakeSQL: w.sql}, Stocks: fakeStocks{fakeSQL: w.sql}, Catalog: fakeCatalog{fakeSQL: w.sql},
		Marks: fakeMarks{fakeSQL: w.sql}, Shards: w.shards, IDs: &fakeIDs{last: 1000}, Queue: w.queue, Announcements: w.news,
		Clock: w.clock, Random: func() float64 { return 0 },
		Metrics: purchase.Metrics{Hit: w.hit},
	}
}

func (w *world) hit(bound purchase.Bound) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.bounds[bound]++
}

func (w *world) hits(bound purchase.Bound) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.bounds[bound]
}

// start runs the service until catalog, states, heartbeat and queue have been read.
func (w *world) start() {
	w.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	w.stop = cancel
	go func() { w.ended <- w.service.Run(ctx) }()
	w.t.Cleanup(func() {
		cancel()
		if err, open := <-w.ended; open && err != nil {
			w.t.Errorf("run ended with %v", err)
		}
	})
	w.rest()
	w.pass(100 * time.Millisecond)
}

// end stops the service and returns what Run said.
func (w *world) end() error {
	w.stop()
	err := <-w.ended
	close(w.ended)
	return err
}

// pass lets time pass and every job that is due do its work.
func (w *world) pass(d time.Duration) {
	w.t.Helper()
	w.clock.Advance(d)
	w.rest()
}

// jobs is how many background jobs wait for their rhythm when nothing is going on.
func (w *world) jobs() int { return 4 + 2*w.shards.Count() }

func (w *world) rest() {
	w.t.Helper()
	eventually(w.t, "all jobs rest", func() bool { return w.clock.Pending() >= w.jobs() })
}

func (w *world) buy(user seckill.UserID, quantity int64, key string) (purchase.Receipt, error) {
	return w.service.Buy(context.Background(), purchase.Request{Item: mug, User: user, Quantity: quantity, Key: key})
}

// queued buys and insists.
func (w *world) queued(user seckill.UserID, quantity int64, key string) purchase.Receipt {
	w.t.Helper()
	receipt, err := w.buy(user, quantity, key)
	if err != nil {
		w.t.Fatalf("buy: %v", err)
	}
	if r := receipt.Reservation; r.State != seckill.ReservationQueued || r.Quantity != quantity || r.User != user || r.Item != mug || r.ID == 0 {
		w.t.Fatalf("receipt %+v", receipt)
	}
	return receipt
}

// refused insists on a reason.
func refused(t *testing.T, err error, reason seckill.Reason) *seckill.Refusal {
	t.Helper()
	refusal, ok := err.(*seckill.Refusal) //nolint:errorlint // refusals are returned as they are
	if !ok || refusal.Reason != reason {
		t.Fatalf("got %v, want %s", err, reason)
	}
	return refusal
}

// answer is what one of many shoppers heard.
type answer struct {
	receipt purchase.Receipt
	err     error
}

// crowd lets n shoppers buy one each at once; the first Lua call waits until all others have joined, and then does what
// the test wants before it.
func (w *world) crowd(n int) []answer {
	w.t.Helper()
	gate, then := make(chan struct{}), w.lent.before
	w.lent.before = func(call int) error {
		if call == 1 {
			<-gate
		}
		if then != nil {
			return then(call)
		}
		return nil
	}
	answers := make([]answer, n)
	var all sync.WaitGroup
	buy := func(i int) {
		receipt, err := w.buy(seckill.UserID(fmt.Sprintf("user-%d", i)), 1, "")
		answers[i] = answer{receipt, err}
	}
	all.Go(func() { buy(0) })
	eventually(w.t, "the first call began", func() bool { return w.lent.count("reserve") == 1 })
	for i := 1; i < n; i++ {
		all.Go(func() { buy(i) })
	}
	eventually(w.t, "all wait", func() bool { return w.service.Waiting(mug) == n-1 })
	close(gate)
	all.Wait()
	return answers
}
