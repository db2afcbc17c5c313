package sim

import (
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sim/ledger"
	"github.com/seckill-dev/seckill/internal/sim/lent"
)

// book is what shoppers were told: the promises.
type book struct {
	*world

	promises map[seckill.ID]*promise
	// open are those that SQL has not made true yet.
	open map[seckill.ID]*promise
	kept int
	// refused are those that could not be kept and, by the design, need not be.
	refused int
	// losses is how often redis has lost data.
	losses int
	// grants are what redis has accepted, by id; given are those of an item that SQL has not heard of.
	grants map[seckill.ID]*grant
	given  map[seckill.ID][]*grant
	// queued are the reservations that the queue has confirmed.
	queued map[seckill.ID]bool
	// rows are the stock rows as they were last seen, eaten is how many units were taken that had been kept for others.
	rows  map[seckill.ID]seckill.Stock
	eaten map[seckill.ID]int64
	// highest are the marks as they were last seen.
	highest map[seckill.ID]marked
	// short is when fewer than so many units of an item were last seen for sale, for each quantity.
	short map[seckill.ID][]time.Duration
	// scarce says for which quantities there are fewer now.
	scarce map[seckill.ID][]bool
}

func newBook(w *world) *book {
	return &book{
		world: w, promises: map[seckill.ID]*promise{}, open: map[seckill.ID]*promise{}, short: map[seckill.ID][]time.Duration{}, scarce: map[seckill.ID][]bool{},
		grants: map[seckill.ID]*grant{}, given: map[seckill.ID][]*grant{}, rows: map[seckill.ID]seckill.Stock{}, eaten: map[seckill.ID]int64{},
		highest: map[seckill.ID]marked{}, queued: map[seckill.ID]bool{},
	}
}

// settle looks which promises on an item SQL has made true by now.
func (b *book) settle(v ledger.View, item seckill.ID) {
	for _, p := range b.open {
		if p.item != item {
			continue
		}
		claim, exists := v.Claim(item, p.id)
		if !exists {
			continue
		}
		delete(b.open, p.id)
		b.keep(v, p, claim)
	}
}

// quantityMost is the largest quantity that anybody asks for.
const quantityMost = 3

// seen notes how many units of an item are for sale, at either server, after a call that may have changed it.
func (b *book) seen(item seckill.ID) {
	times := b.short[item]
	if times == nil {
		times = make([]time.Duration, quantityMost+1)
		for q := range times {
			times[q] = -time.Hour
		}
		b.short[item], b.scarce[item] = times, make([]bool, quantityMost+1)
	}
	now, here, there := b.loop.now(), b.lent.View(item), b.lent.Former(item)
	for q := 1; q <= quantityMost; q++ {
		were, are := b.scarce[item][q], b.fewer(here, q) || b.fewer(there, q)
		if were || are {
			times[q] = now
		}
		b.scarce[item][q] = are
	}
}

// fewer says that a server has fewer units for sale than that, and has been given what its epoch begins with.
func (b *book) fewer(v lent.View, quantity int) bool {
	return v.Known && v.Available < int64(quantity) && (v.Issue >= b.begins[v.Item] || v.Epoch != b.epochs[v.Item])
}
