package contract

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// SettleRandom holds stock and claims to what must be true at any moment, whatever is done to them in whatever order:
// also what no honest Redis would ever send.
func SettleRandom(t *testing.T, open func(t *testing.T) Ledger) {
	t.Helper()
	t.Run("adds up after every step of any history", func(t *testing.T) {
		t.Parallel()
		ledger := open(t)
		rapid.Check(t, func(rt *rapid.T) {
			h := newHistory(ledgerTest{tester: rt, Ledger: ledger})
			steps := rapid.SampledFrom([]func(*rapid.T, seckill.ID){
				h.settleSome, h.settleSome, h.resend, h.poison, h.sealOne, h.rebuildOne, h.openOne, h.issueOne, h.releaseOne, h.raiseOne,
				h.returnSome, h.adjustOne,
			})
			for range rapid.IntRange(1, stepsMax).Draw(rt, "steps") {
				item := rapid.SampledFrom(h.items[:]).Draw(rt, "item")
				steps.Draw(rt, "step")(rt, item)
				// Both: a step may change the other item too.
				for _, changed := range h.items {
					h.addsUp(changed)
					h.lentIsIssued(changed)
				}
			}
		})
	})
}

// stepsMax bounds a history: what is wrong shows within few steps, and each of them is a commit.
const stepsMax = 16

// history is what happened to two items of one shard, of which the second has OneTry.
type history struct {
	ledgerTest
	items [2]seckill.ID
	sent  []seckill.Message
	// first is the first reservation sent under an id, with its item; all others of the id are doubled.
	first map[seckill.ID]claimedAs
	// overdrawn are epochs in which more was sent than was lent.
	overdrawn map[string]bool
	// adjusted is the first answer to each op of an item.
	adjusted map[string]seckill.Adjusted
}

type claimedAs struct {
	seckill.Reserved
	item seckill.ID
}

func newHistory(l ledgerTest) *history {
	h := &history{ledgerTest: l, first: make(map[seckill.ID]claimedAs), overdrawn: make(map[string]bool), adjusted: make(map[string]seckill.Adjusted)}
	h.items[0] = l.opened(5, 4)
	for {
		h.items[1] = l.stockedAs(seckill.Item{Allotment: 5, LimitPerUser: 4, OneTry: true})
		if seckill.HomeShard(l.Shards, h.items[0]) == seckill.HomeShard(l.Shards, h.items[1]) {
			l.openNext(h.items[1], 0)
			return h
		}
	}
}

// batch draws a message of an epoch that SQL has.
func (h *history) batch(t *rapid.T, item seckill.ID) seckill.Message {
	epoch := h.stock(item).Epoch
	m := h.message(item, max(1, rapid.Int64Range(epoch-2, epoch).Draw(t, "epoch")), rapid.Int64Range(1, 9).Draw(t, "sold"))
	for range rapid.IntRange(1, 4).Draw(t, "reservations") {
		m.Reservations = append(m.Reservations, h.reservation(t))
	}
	return m
}

func (h *history) reservation(t *rapid.T) seckill.Reserved {
	user := rapid.SampledFrom([]seckill.UserID{"a", "b", "c"}).Draw(t, "user")
	r := h.reserveKey(user, rapid.Int64Range(1, 3).Draw(t, "quantity"), rapid.SampledFrom([]string{"", "", "1", "2"}).Draw(t, "key"))
	if len(h.sent) > 0 && rapid.IntRange(0, 9).Draw(t, "doubled") == 0 {
		r.ID = rapid.SampledFrom(h.sent).Draw(t, "of").Reservations[0].ID
	}
	return r
}

func (h *history) deliver(messages ...seckill.Message) {
	h.sent = append(h.sent, messages...)
	settlement := h.settle(messages...)
	if len(settlement.Ahead) > 0 {
		h.Fatalf("taken for a message of the future: %+v", settlement.Ahead)
	}
	for _, c := range append(settlement.Held, settlement.Rejected...) {
		if _, known := h.first[c.ID]; !known {
			h.first[c.ID] = claimedAs{seckill.Reserved{ID: c.ID, User: c.User, Quantity: c.Quantity}, c.Item}
		}
	}
	for _, m := range messages {
		for _, r := range m.Reservations {
			h.known(settlement, r)
		}
	}
}

// known wants every reservation to be somebody's claim, and to be set aside when it is not its own.
func (h *history) known(settlement seckill.Settlement, r seckill.Reserved) {
	first, known := h.first[r.ID]
	if !known {
		h.Fatalf("%+v was lost", r)
	}
	if first.User == r.User && first.Quantity == r.Quantity {
		return
	}
	for _, d := range settlement.Doubled {
		if d.Reservation == r {
			return
		}
	}
	h.Fatalf("%+v was taken for %+v", r, first)
}

func (h *history) settleSome(t *rapid.T, item seckill.ID) {
	messages := []seckill.Message{h.batch(t, item)}
	for range rapid.IntRange(0, 2).Draw(t, "more") {
		messages = append(messages, h.batch(t, rapid.SampledFrom(h.items[:]).Draw(t, "item")))
	}
	h.deliver(messages...)
}

func (h *history) resend(t *rapid.T, item seckill.ID) {
	fresh := h.batch(t, item)
	again := rapid.SampledFrom(append(h.sent, fresh)).Draw(t, "again")
	h.deliver(again, fresh, again)
}

func (h *history) poison(t *rapid.T, item seckill.ID) {
	m := h.batch(t, item)
	m.Reservations = []seckill.Reserved{h.reserve("a", 2)}
	_, err := h.Claims.Reject(h.Context(), seckill.HomeShard(h.Shards, m.Item), m, m.Reservations[0], seckill.Invalid)
	if err != nil {
		t.Fatal(err)
	}
}

func (h *history) sealOne(t *rapid.T, item seckill.ID) {
	h.seal(seckill.SealRequest{Item: item, Final: rapid.IntRange(0, 15).Draw(t, "final") == 0})
}

func (h *history) rebuildOne(t *rapid.T, item seckill.ID) {
	s := h.stock(item)
	_, done, err := h.Stocks.Rebuild(h.Context(), seckill.Rebuild{
		Item: s.Item, Epoch: s.Epoch, From: s.State, Attempt: s.Attempt, NextAttempt: h.id(0),
		Target: rapid.Int64Range(0, 9).Draw(t, "target"),
	})
	if err != nil || done != (s.State == seckill.StockSealing || s.State == seckill.StockLoading) {
		t.Fatalf("rebuilt from %s: %t, %v", s.State, done, err)
	}
}

func (h *history) openOne(t *rapid.T, item seckill.ID) {
	s := h.stock(item)
	opened, err := h.Stocks.Open(h.Context(), s.Item, s.Epoch, s.Attempt)
	if err != nil || opened != (s.State == seckill.StockLoading && !s.Final && s.OwedDecrease == 0) {
		t.Fatalf("opened from %s: %t, %v", s.State, opened, err)
	}
}

func (h *history) issueOne(t *rapid.T, item seckill.ID) {
	s := h.stock(item)
	_, issued, err := h.Stocks.Issue(h.Context(), s.Item)
	if err != nil || issued != (s.State == seckill.StockOpen && s.Pool > 0) {
		t.Fatalf("issued from %s: %t, %v", s.State, issued, err)
	}
}

func (h *history) releaseOne(t *rapid.T, item seckill.ID) {
	s := h.stock(item)
	h.elapse(s.Item, seckill.DoubtFor)
	units, err := h.Stocks.ReleaseDoubt(h.Context(), s.Item)
	if err != nil || units != s.Doubt {
		t.Fatalf("released %d of %d, %v", units, s.Doubt, err)
	}
}

func (h *history) raiseOne(t *rapid.T, item seckill.ID) {
	if err := h.Stocks.RaiseHigh(h.Context(), item, h.stock(item).Epoch, 5); err != nil {
		t.Fatal(err)
	}
	if err := h.Stocks.RaiseCeiling(h.Context(), item, rapid.Int64Range(1, 8).Draw(t, "limit")); err != nil {
		t.Fatal(err)
	}
}

// returnSome gives back any claims, of the other item too and some of them twice.
func (h *history) returnSome(t *rapid.T, item seckill.ID) {
	var returns []seckill.Return
	for _, m := range h.sent {
		for _, r := range m.Reservations {
			if rapid.IntRange(0, 2).Draw(t, "returned") == 0 {
				returns = append(returns, seckill.Return{Claim: r.ID, User: r.User, Quantity: r.Quantity})
			}
		}
	}
	before := h.stock(item)
	units, err := h.Returns.Return(h.Context(), item, returns)
	if after := h.stock(item); err != nil || after.Pool-before.Pool != units || before.Claimed-after.Claimed != units {
		t.Fatalf("%d units came back from %+v to %+v, %v", units, before, after, err)
	}
}

// adjustOne repeats an op now and then, and asks for more than there is.
func (h *history) adjustOne(t *rapid.T, item seckill.ID) {
	a := seckill.Adjustment{Item: item, Op: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "op")}
	name := fmt.Sprintf("%d/%s", item, a.Op)
	first, repeated := h.adjusted[name]
	if a.Delta = first.Taken - first.Owed; !repeated {
		a.Delta = rapid.OneOf(rapid.Int64Range(-9, -1), rapid.Int64Range(1, 3)).Draw(t, "delta")
	}
	before := h.stock(item)
	got, err := h.Adjustments.Adjust(h.Context(), a)
	if err != nil || got.Repeated != repeated {
		t.Fatalf("%+v: got %+v, %v", a, got, err)
	}
	after := h.stock(item)
	switch changed := after.Allotted != before.Allotted || after.OwedDecrease != before.OwedDecrease; {
	case got.Refused || repeated:
		if changed || repeated && (got.Taken != first.Taken || got.Owed != first.Owed) {
			t.Fatalf("%+v: got %+v, and %+v became %+v", a, got, before, after)
		}
	case after.Allotted-before.Allotted != got.Taken || after.OwedDecrease-before.OwedDecrease != got.Owed:
		t.Fatalf("%+v: got %+v, and %+v became %+v", a, got, before, after)
	default:
		h.adjusted[name] = got
	}
}

// lentIsIssued wants lent = issued - accounted in an open epoch: exactly what Redis believes to have left or on its way.
// Only when Redis has sold more than it was lent may there be more.
func (h *history) lentIsIssued(item seckill.ID) {
	s := h.stock(item)
	if s.State != seckill.StockOpen {
		return
	}
	moves, err := h.Stocks.Moves(h.Context(), item, s.Epoch, 0)
	if err != nil {
		h.Fatal(err)
	}
	var issued int64
	for _, move := range moves {
		issued += move.Units
	}
	epoch := fmt.Sprintf("%d/%d", item, s.Epoch)
	h.overdrawn[epoch] = h.overdrawn[epoch] || s.Accounted > issued
	if left := issued - s.Accounted; s.Lent < left || (s.Lent > left && !h.overdrawn[epoch]) {
		h.Fatalf("lent %d of %d issued, %d accounted", s.Lent, issued, s.Accounted)
	}
}
