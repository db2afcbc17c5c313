package sim

import (
	"context"
	"fmt"
	"time"

	"github.com/seckill-dev/seckill/internal/purchase"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// shopper is somebody who buys, and is told things.
type shopper struct {
	*world

	user seckill.UserID
	keys int
	// having are the orders he knows of.
	having map[seckill.ID]bool
}

// wish is one purchase that a shopper wants to make, through any process, until he knows how it ended.
type wish struct {
	*shopper

	item     seckill.ID
	quantity int64
	key      string
	tries    int
	// promise is what he was told, id a reservation he was told of without a promise.
	promise *promise
	id      seckill.ID
	// got says that he was told of a reservation.
	got bool
}

func newShopper(w *world, n int) *shopper {
	return &shopper{world: w, user: seckill.UserID(fmt.Sprintf("u%d-%d", n, w.random.IntN(1000))), having: map[seckill.ID]bool{}}
}

// invite has the shoppers come, often several of them at once.
func (w *world) invite() {
	latest := w.plan.active - w.plan.active/8
	var at time.Duration
	for n := range w.plan.purchases {
		if n == 0 || w.random.IntN(3) == 0 {
			at = w.rush(n, latest)
			w.rushes = append(w.rushes, at)
		}
		s := w.shoppers[w.random.IntN(len(w.shoppers))]
		w.loop.after(at+between2(w.random, 0, 20*time.Millisecond), nil, s.wish)
	}
}

// rush is a moment at which several come: in a world that waits, first before and then after it has waited.
func (w *world) rush(n int, latest time.Duration) time.Duration {
	switch {
	case w.plan.trouble == 0:
		return between2(w.random, 300*time.Millisecond, latest)
	case n < w.plan.purchases/2:
		return between2(w.random, 300*time.Millisecond, w.plan.trouble*2/3)
	default:
		return between2(w.random, latest/2, latest)
	}
}

func (s *shopper) wish() {
	wish := &wish{
		shopper: s, item: s.items[s.random.IntN(len(s.items))].ID, quantity: 1, tries: 8,
	}
	if s.plan.trouble > 0 {
		wish.tries *= 3 // he outlasts the longest drain
	}
	if s.plan.impatient {
		wish.tries = 1
	}
	if s.random.IntN(4) == 0 {
		wish.quantity = 1 + s.random.Int64N(quantityMost)
	}
	if s.random.IntN(3) > 0 {
		s.keys++
		wish.key = fmt.Sprintf("key-%04d", s.keys)
	}
	wish.buy()
}

// at is some process that is there; false when there is none.
func (w *world) someAPI() (*api, bool) {
	if len(w.apis) == 0 {
		return nil, false
	}
	return w.apis[w.random.IntN(len(w.apis))], true
}

// bought is what a request for a purchase came to.
type bought struct {
	receipt purchase.Receipt
	err     error
}

func (x *wish) buy() {
	a, there := x.someAPI()
	if !there {
		x.later()
		return
	}
	began := x.loop.now()
	x.loop.trace.note("%s asks %s for %d of %d with %q", x.user, a.name, x.quantity, x.item, x.key)
	serve(a, func(ctx context.Context) (b bought) {
		b.receipt, b.err = a.buying.Buy(ctx, purchase.Request{Item: x.item, User: x.user, Quantity: x.quantity, Key: x.key})
		x.book.decided(b.receipt.Reservation)
		return b
	}, func(b bought) { x.answered(b, began) }, x.unanswered)
}

// later comes again, unless he has come often enough.
func (x *wish) later() {
	if x.tries--; x.tries <= 0 || x.ending {
		return
	}
	x.loop.after(between2(x.random, 20*time.Millisecond, 3*time.Second), nil, x.again)
}

func (x *wish) again() {
	switch {
	case x.promise != nil && x.random.IntN(3) > 0:
		x.look()
	case x.key != "":
		x.buy()
	case x.id != 0 || x.promise != nil:
		x.look()
	default:
		x.buy()
	}
}

// unanswered is a request that nobody answered. Without a key he cannot know what it did.
func (x *wish) unanswered() {
	x.loop.trace.note("%s hears nothing", x.user)
	switch {
	case x.key != "" || x.promise != nil:
		x.later()
	case x.random.IntN(2) == 0 && !x.ending:
		x.loop.after(between2(x.random, 20*time.Millisecond, 8*time.Second), nil, x.wish) // as if he had never asked
	}
}

func (x *wish) answered(b bought, began time.Duration) {
	if b.err != nil {
		x.refused(b.err, began)
		return
	}
	x.told(b.receipt.Reservation)
	if x.random.IntN(4) > 0 {
		x.later()
	}
}

// told is what he hears of his reservation.
func (x *wish) told(r seckill.Reservation) {
	x.loop.trace.note("%s hears: %d is %s %s", x.user, r.ID, r.State, r.Reason)
	if x.promise != nil && x.promise.id != r.ID && !x.promise.excused() && !x.promise.forgotten() && !x.duplicate(r.ID) {
		x.broken("one reservation per key", x.item, []any{x.promise.id, r.ID, x.user},
			"%s was told of %s and then of %s", x.user, x.promise.id, r.ID)
	}
	switch r.State {
	case seckill.ReservationQueued:
		if x.promise == nil || x.promise.forgotten() {
			x.promise = x.book.promised(r)
		}
	case seckill.ReservationRejected:
		if x.promise != nil && !x.promise.excused() && !x.promise.refused {
			x.broken("queued is never refused", x.item, []any{x.promise.id, x.user}, "%s is told that %s is rejected: %s", x.user, r.ID, r.Reason)
		}
	case seckill.ReservationOrdered:
		if x.user != prober {
			x.ordered(r.ID)
		}
	}
	x.id, x.got = r.ID, true
}

// refused is an answer that is no reservation.
func (x *wish) refused(err error, began time.Duration) {
	reason := seckill.ReasonOf(err)
	x.loop.trace.note("%s hears: %v", x.user, err)
	switch reason {
	case seckill.Busy, seckill.RateLimited:
		x.later()
		return
	case seckill.UnknownOutcome:
		x.id = x.outcome(err)
		x.later()
		return
	case "":
		// A fault that is no refusal: an error of the server.
		x.broken("errors are refusals", x.item, []any{x.user}, "%s is told %v", x.user, err)
		return
	default:
	}
	if x.promise != nil && !x.promise.excused() && !x.promise.refused && !x.promise.forgotten() {
		x.broken("a replay hears of its own", x.item, []any{x.promise.id, x.user}, "%s holds %s and is told %v", x.user, x.promise.id, err)
	}
	if reason == seckill.SoldOut && x.quantity <= quantityMost {
		x.reallySoldOut(began)
	}
}

// staleMost is how old the picture may be that a sold_out comes from.
const staleMost = seckill.StateMaxAge + 50*time.Millisecond

func (x *wish) reallySoldOut(began time.Duration) {
	x.book.seen(x.item)
	if last := x.book.short[x.item][x.quantity]; last < began-staleMost {
		x.broken("sold out is true", x.item, []any{x.user}, "%s is told sold_out, and %d were there since %.3f", x.user, x.quantity, last.Seconds())
	}
}
