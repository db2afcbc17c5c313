package sim

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sim/bank"
	"github.com/seckill-dev/seckill/internal/sim/broker"
	"github.com/seckill-dev/seckill/internal/sim/ledger"
	"github.com/seckill-dev/seckill/internal/sim/lent"
)

// world is everything there is in one schedule.
type world struct {
	plan   *plan
	random *rand.Rand
	loop   *loop
	faults *faults

	ledger *ledger.Ledger
	lent   *lent.Redis
	broker *broker.Broker
	bank   *bank.Bank
	shops  []*shop
	// shopAway says that the shop takes no events, untold are charges that the bank will never tell of, posting is how many
	// notices are on their way.
	shopAway bool
	untold   map[string]bool
	posting  int

	sale  seckill.ID
	items []seckill.Item

	processes int
	alive     []*process
	apis      []*api
	operator  *operator
	shoppers  []*shopper
	book      *book
	// rushes are the moments at which several shoppers come at once.
	rushes []time.Duration
	// buried says that a message became a dead letter.
	buried bool
	// delivering says that a message of the shard is about to be handed on.
	delivering []bool
	// ending says that no new purchases are begun, over that nothing is.
	ending, over bool
	// missed says that the window was over before the sale could begin.
	missed bool
	// probed says that somebody tries to buy when all is over, probing how many items he has not got.
	probed  bool
	probing int
	// begins is the first issue of each item's epoch, holds says that operators were told that nothing is sold, asked is what
	// they may have added at most.
	begins map[seckill.ID]int64
	epochs map[seckill.ID]int64
	holds  bool
	held   map[seckill.ID]sold
	asked  map[seckill.ID]int64

	// ended is the order that operators have ended last.
	ended seckill.ID
	// selling is which epoch of each item Redis sells.
	selling map[seckill.ID]sells

	// lack and slip are the mistake that was left in, buyersBefore and batches what it needs.
	lack         ledger.Lack
	slip         slip
	buyersBefore map[seckill.ID][]seckill.Buyer
	batches      map[seckill.ID]seckill.ID

	// audited says that only the live audit looks.
	audited   bool
	violation *Violation
	log       *slog.Logger
}

// Options are how a schedule is run.
type Options struct {
	// Traced keeps what happens.
	Traced bool
	// Mistake is left in the world; "" for none.
	Mistake string
	// Audited leaves it to the live audit to notice what is wrong.
	Audited bool
}

// Result is what became of a schedule.
type Result struct {
	Seed      uint64
	Violation *Violation
	Steps     int
	// Course is alike for schedules that took the same steps at the same moments.
	Course uint64
	// Lasted is how long it took in its own time.
	Lasted time.Duration
	World  string
	Faults []string
	Counts map[string]int
	Trace  []string
}

// prefetch is how many messages a consumer is given at once.
const prefetch = 8

// everyones is the clock of whoever has no process.
type everyones struct{}

// Now implements seckill.Clock.
func (everyones) Now() time.Time { return daybreak(time.Now()) }

// After implements seckill.Clock; nobody asks.
func (everyones) After(d time.Duration) <-chan time.Time { return time.After(d) }

// Run runs one schedule. It must be called in a bubble of testing/synctest.
func Run(seed uint64, options Options) Result {
	w := newWorld(seed, options)
	w.prepare()
	w.run()
	w.finish()
	r := Result{
		Seed: seed, Violation: w.violation, Steps: w.loop.steps, Course: w.loop.course, Lasted: w.loop.now(), World: w.plan.String(),
		Faults: w.plan.on(), Counts: map[string]int{},
	}
	for k, n := range w.faults.count {
		r.Counts["fault: "+string(k)] = n
	}
	w.count(r.Counts)
	if w.violation != nil && w.loop.trace != nil {
		r.Trace = w.loop.trace.about(w.violation.item, w.violation.names...)
	}
	return r
}

func newWorld(seed uint64, options Options) *world {
	random := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // chosen by its seed
	drawn := newPlan(random)
	drawn.audits = drawn.audits || options.Audited
	w := &world{plan: &drawn, random: random, audited: options.Audited, log: slog.New(slog.DiscardHandler)}
	w.faults = newFaults(w.plan, random)
	var t *trace
	if options.Traced {
		t = &trace{}
	}
	w.loop = newLoop(random, w.faults, t)
	w.buyersBefore, w.batches = map[seckill.ID][]seckill.Buyer{}, map[seckill.ID]seckill.ID{}
	w.held, w.selling = map[seckill.ID]sold{}, map[seckill.ID]sells{}
	w.begins, w.epochs, w.asked = map[seckill.ID]int64{}, map[seckill.ID]int64{}, map[seckill.ID]int64{}
	if t != nil {
		t.now = w.loop.now
		w.log = slog.New(&logLines{trace: t})
	}
	w.faults.strike = w.strike
	w.build()
	if m, known := mistake(options.Mistake); known {
		m.plant(w)
		w.build()
		m.plant(w)
	}
	return w
}

// build makes the stores.
func (w *world) build() {
	w.ledger = ledger.New(ledger.Config{Shards: w.plan.shards, Clock: everyones{}, Tells: true, Lack: w.lack})
	w.ledger.Between = w.loop.between
	w.lent = lent.New(everyones{})
	w.lent.Between = w.loop.between
	w.broker = broker.New(everyones{}, broker.Settings{
		Shards: w.plan.shards, Prefetch: prefetch, Manual: true, Between: w.loop.between, Gone: w.checkGone,
	})
	w.bank = bank.New(everyones{}, bank.Settings{Lives: w.plan.lives, Lingers: w.plan.lingers})
	w.untold, w.shops = map[string]bool{}, nil
	for n := range w.plan.endpoints {
		w.shops = append(w.shops, newShop(w, fmt.Sprintf("shop-%d", n+1)))
	}
	w.delivering = make([]bool, w.plan.shards)
	w.book = newBook(w)
}

// prepare makes the sale and starts everybody. Nothing goes wrong yet.
func (w *world) prepare() {
	now := everyones{}.Now()
	w.sale = seckill.ComposeID(now.UnixMilli(), w.random.IntN(seckill.Buckets), 0, 0)
	closes := w.plan.closes
	if closes == 0 {
		closes = time.Hour
	}
	sale := seckill.Sale{
		ID: w.sale, Name: "a sale", State: seckill.SaleDraft, StartsAt: now.Add(w.plan.opens), EndsAt: now.Add(closes),
		PayWithin: w.plan.payWithin, Version: 1, CreatedAt: now,
	}
	for n := range w.plan.items {
		id := seckill.ComposeID(now.UnixMilli(), w.random.IntN(seckill.Buckets), 0, n+1)
		sale.Items = append(sale.Items, w.plan.item(id, w.sale, n))
	}
	w.items = sale.Items
	if err := (ledger.Catalog{Ledger: w.ledger}).Create(context.Background(), sale, seckill.Act{Actor: "operator:ann", Action: "sale.create"}); err != nil {
		panic(err)
	}
	for range w.plan.apis {
		w.startAPI()
	}
	for range w.plan.workers {
		w.startWorker()
	}
	for range w.plan.keepers {
		w.startKeeper()
	}
	w.startOperator()
	for n := range w.plan.shoppers {
		w.shoppers = append(w.shoppers, newShopper(w, n))
	}
	w.invite()
	w.schedule()
	w.loop.settle()
}

// run lets people buy while things go wrong.
func (w *world) run() {
	for w.violation == nil && w.loop.step(w.plan.active) {
		w.watch()
	}
}

// watch looks at the world after a step.
func (w *world) watch() {
	w.deliver()
	w.check()
}

// count counts what came about, so that somebody sees whether anything did.
func (w *world) count(counts map[string]int) {
	counts["promises kept"] = w.book.kept
	counts["promises that need not be kept"] = w.book.refused
	for _, p := range w.book.open {
		if p.excused() {
			counts["promises that need not be kept"]++
		}
	}
	w.ledger.Look(func(v ledger.View) {
		for stock := range v.Stocks() {
			counts["epochs"] += int(stock.Epoch)
			counts["issues"] += int(stock.Issue)
		}
		for claim := range v.Claims() {
			if claim.State == seckill.ClaimRejected {
				counts["rejected: "+string(claim.Reason)]++
			}
		}
		for order := range v.Orders() {
			counts["orders: "+string(order.State)]++
		}
	})
}
