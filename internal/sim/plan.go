package sim

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// plan is the world of one schedule: how large it is, and which faults it has. Small worlds go wrong just as well, and
// quicker; and every seed turns on only some faults, because some hide others.
type plan struct {
	shards, items, apis, workers, keepers, shoppers, endpoints int

	stock, limit, price int64
	oneTry              bool
	gate                time.Duration
	payWithin           time.Duration
	// lives and lingers are the bank's.
	lives, lingers time.Duration
	// active is how long people buy, opens when the sale begins and closes when it ends by itself, 0 for long after.
	active, opens, closes time.Duration
	purchases             int
	// stretch is how slow every process is.
	stretch float64
	// acts is how often an operator does something; one who is careless never asks again how a preload went.
	acts     int
	careless bool

	// audits says that keepers audit all the while.
	audits bool

	// about is the name of its profile.
	about string
	// impatient says that people do not ask again how it went.
	impatient bool
	// turns are the methods that its faults wait for; lateMost says that messages which are late are very late.
	turns    []method
	lateMost bool
	// trouble is how long things go wrong, 0 as long as people buy; pause is how long a process stands still at least.
	trouble time.Duration
	pause   time.Duration
	faults  map[kind]bool
	// rate is how often a call fails, moments how many faults wait for a certain call.
	rate    float64
	moments int
}

// kind is a kind of fault.
type kind string

// The kinds.
const (
	slow        kind = "slow calls"
	refuses     kind = "calls that fail"
	loses       kind = "lost answers"
	lates       kind = "late effects"
	doubles     kind = "calls that are made twice"
	echoes      kind = "calls that come again, one after the other"
	crashes     kind = "crashes"
	leaves      kind = "processes that are ended"
	cuts        kind = "processes cut off"
	stops       kind = "stopped processes"
	failover    kind = "failover of redis"
	wipe        kind = "wipe of redis"
	restart     kind = "restart of redis"
	dump        kind = "old dump in redis"
	zombie      kind = "former primary goes on"
	redisDown   kind = "redis down"
	reconnect   kind = "restart of the broker"
	brokerDown  kind = "broker down"
	brokerWipe  kind = "wipe of the broker"
	blocked     kind = "broker blocks publishers"
	leaderless  kind = "queue without leader"
	duplicates  kind = "duplicated messages"
	delays      kind = "delayed messages"
	reorders    kind = "reordered messages"
	shardAway   kind = "shard away"
	arrives     kind = "late messages that come just then"
	skews       kind = "clocks apart"
	idless      kind = "processes without a node number"
	bankDown    kind = "bank down"
	bankRefuses kind = "bank opens no payments"
	bankPending kind = "refunds that are not certain"
	silences    kind = "notices that never come"
	oddPayers   kind = "odd payers"
	shopDown    kind = "shop down"
	operates    kind = "operators"
)

// kinds are all of them, in a fixed order.
func kinds() []kind {
	return []kind{
		slow, refuses, loses, lates, doubles, echoes, crashes, leaves, cuts, stops, failover, wipe, restart, dump, zombie, redisDown, reconnect, brokerDown,
		brokerWipe, blocked, leaderless, duplicates, delays, reorders, arrives, shardAway, skews, idless, bankDown, bankRefuses, bankPending,
		silences, oddPayers, shopDown, operates,
	}
}

func newPlan(r *rand.Rand) plan {
	p := plan{
		shards: 1, items: 1, endpoints: 1 + r.IntN(5)/4, apis: 1 + r.IntN(2), workers: 1 + r.IntN(2), keepers: 1 + (r.IntN(4)+2)/3, shoppers: 2 + r.IntN(6),
		stock: int64(1 + r.IntN(6)), limit: int64(1 + r.IntN(3)), price: 100, oneTry: r.IntN(4) == 0,
		gate: time.Second, payWithin: between2(r, 2*time.Second, 20*time.Second), purchases: 4 + r.IntN(22),
		active: between2(r, 4*time.Second, 16*time.Second), stretch: 2 + 3*r.Float64(),
		faults: map[kind]bool{}, rate: 0.002 * float64(1+r.IntN(20)), moments: r.IntN(6),
	}
	if r.IntN(4) == 0 {
		p.shards = 2
	}
	if r.IntN(4) == 0 {
		p.items = 2
	}
	if r.IntN(3) == 0 {
		p.gate = between2(r, time.Second, 3*time.Second)
	}
	if r.IntN(4) == 0 {
		p.opens = between2(r, 0, 2*time.Second)
	}
	if r.IntN(4) == 0 {
		p.closes = between2(r, p.active/2, p.active)
	}
	if r.IntN(3) == 0 {
		p.lives = between2(r, time.Second, 8*time.Second)
	}
	if r.IntN(4) == 0 {
		p.lingers = between2(r, 0, 3*time.Second)
	}
	p.audits, p.careless = r.IntN(8) == 0, r.IntN(3) == 0
	p.draw(r)
	p.payWithin = max(p.payWithin.Truncate(time.Second), time.Second) // what operators may say
	return p
}

// draw turns faults on.
func (p *plan) draw(r *rand.Rand) {
	drawn := drawProfile(r)
	p.about, p.turns = drawn.name, drawn.turns
	if len(drawn.always) > 0 {
		p.faults[drawn.always[r.IntN(len(drawn.always))]] = true
	}
	for _, n := range r.Perm(len(drawn.others))[:r.IntN(drawn.most+1)] {
		p.faults[drawn.others[n]] = true
	}
	switch {
	case p.about == aboutRedis && r.IntN(2) == 0:
		p.wait(r)
	case p.about == aboutOperators && r.IntN(3) == 0:
		p.stray(r)
	case p.about == aboutOperators && r.IntN(2) == 0:
		p.stock = p.limit*int64(p.shoppers) + r.Int64N(4) // enough for who may have one more
	case p.about == aboutMoney && r.IntN(2) == 0:
		p.payWithin = between2(r, 6*time.Second, 20*time.Second)
	case p.about == aboutRebuilds:
		p.keepers, p.moments = 2+r.IntN(2), 2+r.IntN(5)
		if r.IntN(2) == 0 {
			p.pause = seckill.LoadStall
		}
	case p.about == aboutEnds:
		p.closes, p.pause, p.moments = between2(r, max(p.active/3, p.opens+time.Second), p.active), 3*time.Second, 2+r.IntN(4)
		p.payWithin = between2(r, time.Second, p.active/2)
	}
	if p.faults[operates] {
		p.acts = 1 + r.IntN(6)
	}
}

// wait makes it a world in which messages are later than an uncounted drain waits, and people buy before and after.
func (p *plan) wait(r *rand.Rand) {
	p.lateMost, p.faults[delays] = true, true
	p.trouble, p.active = 6*time.Second, between2(r, 35*time.Second, 55*time.Second)
	p.opens, p.closes = 0, 0
	p.stock, p.limit, p.shoppers = int64(1+r.IntN(6)), int64(1+r.IntN(2)), 2+r.IntN(3)
	p.purchases = 8 + r.IntN(12)
	for _, k := range []kind{wipe, crashes, doubles, arrives, brokerWipe, slow, operates} {
		p.faults[k] = p.faults[k] || r.IntN(3) == 0
	}
}

// stray makes it a world in which Redis sells what no api hears of, just before an epoch ends, and its message is late.
func (p *plan) stray(r *rand.Rand) {
	p.turns, p.moments = []method{lentReserve}, 8
	for _, k := range []kind{slow, lates, loses, cuts, delays} {
		p.faults[k] = true
	}
	p.faults[crashes] = false // where an api has died, a drain waits for silence
	p.lateMost, p.impatient = r.IntN(4) > 0, true
}

// on are the faults that are on.
func (p *plan) on() []string {
	var on []string
	for _, k := range kinds() {
		if p.faults[k] {
			on = append(on, string(k))
		}
	}
	return on
}

func (p *plan) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s; %d shards, %d items of %d units, at most %d each", p.about, p.shards, p.items, p.stock, p.limit)
	if p.oneTry {
		b.WriteString(" (one try)")
	}
	fmt.Fprintf(&b, ", gate %s; %d api, %d workers, %d keepers; %d shoppers, %d purchases within %s",
		p.gate, p.apis, p.workers, p.keepers, p.shoppers, p.purchases, p.active)
	return b.String()
}

// between2 draws a duration in whole milliseconds.
func between2(r *rand.Rand, least, most time.Duration) time.Duration {
	return (least + time.Duration(r.Int64N(int64(most-least)+1))).Truncate(time.Millisecond)
}

// terms are those of the orders.
func (p *plan) item(id, sale seckill.ID, n int) seckill.Item {
	return seckill.Item{
		ID: id, Sale: sale, SKU: fmt.Sprintf("sku-%d", n), Title: "A thing", PriceMinor: p.price, Currency: "EUR",
		Allotment: p.stock, LimitPerUser: p.limit, OneTry: p.oneTry,
	}
}
