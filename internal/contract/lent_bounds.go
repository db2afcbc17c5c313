package contract

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/seckill-dev/seckill/internal/seckill"
)

func lentBounds() []lentCase {
	return []lentCase{
		{"peers: sells to the last unit and not one more", lentSellsToLastUnit},
		{"peers: sells up to the limit and not one more", lentSellsToLimit},
		{"says limit before sold out", lentSaysLimitFirst},
		{"takes a whole batch", lentTakesWholeBatch},
		{"keeps large amounts exact", lentKeepsLargeAmounts},
		{"does nothing for a call that breaks the format", lentRefusesMalformed},
		{"sells each unit once when more is asked than there is", lentSellsUnitsOnce},
	}
}

func lentSellsToLastUnit(t *testing.T, o lentOpener) {
	t.Helper()
	i := o.open(t, func(l *seckill.Load) { l.Available, l.Limit = 5, 5 })
	i.one(seckill.ReserveAccepted, i.ask("ann", 3, ""))
	if got := i.one(seckill.ReserveSoldOut, i.ask("bob", 3, "")); got.Available != 2 {
		t.Errorf("available %d, want the 2 that are left", got.Available)
	}
	i.one(seckill.ReserveAccepted, i.ask("bob", 2, ""))
	if got := i.one(seckill.ReserveSoldOut, i.ask("cat", 1, "")); got.Available != 0 {
		t.Errorf("available %d, want 0", got.Available)
	}
}

func lentSellsToLimit(t *testing.T, o lentOpener) {
	t.Helper()
	i := o.open(t)
	i.one(seckill.ReserveLimitReached, i.ask("ann", lentLimit+1, ""))
	i.one(seckill.ReserveAccepted, i.ask("ann", 1, ""))
	i.one(seckill.ReserveLimitReached, i.ask("ann", lentLimit, ""))
	i.one(seckill.ReserveAccepted, i.ask("ann", lentLimit-1, ""))
	if got := i.one(seckill.ReserveLimitReached, i.ask("ann", 1, "")); len(got.Held) != 2 {
		t.Errorf("held %+v, want both reservations", got.Held)
	}
}

func lentSaysLimitFirst(t *testing.T, o lentOpener) {
	t.Helper()
	i := o.open(t, func(l *seckill.Load) { l.Available = 1 })
	i.one(seckill.ReserveLimitReached, i.ask("ann", lentLimit+1, ""))
}

func lentTakesWholeBatch(t *testing.T, o lentOpener) {
	t.Helper()
	i := o.open(t, func(l *seckill.Load) { l.Available = 200 })
	var requests []seckill.ReserveRequest
	for n := range seckill.ReserveBatchMax {
		user := fmt.Sprintf("%03d%s", n, strings.Repeat("u", 61)) // the longest there is
		requests = append(requests, i.ask(user, 1, fmt.Sprint("key-", n)))
	}
	reply := i.reserve(requests...)
	i.checkMessage(reply, requests[:200]...)
	if reply.Available != 0 || reply.Outcomes[200].Code != seckill.ReserveSoldOut {
		t.Errorf("%d left, request 201 was answered %d", reply.Available, reply.Outcomes[200].Code)
	}
}

func lentKeepsLargeAmounts(t *testing.T, o lentOpener) {
	t.Helper()
	const many = 1_000_000_000_000_007
	i := o.open(t, func(l *seckill.Load) { l.Available, l.Limit = many, many })
	reply := i.reserve(i.ask("ann", seckill.QuantityMax, ""))
	if reply.Available != many-seckill.QuantityMax || i.state().Available != reply.Available {
		t.Errorf("available %d", reply.Available)
	}
}

func lentRefusesMalformed(t *testing.T, o lentOpener) {
	t.Helper()
	lentMalformed(o.open(t))
}

func lentSellsUnitsOnce(t *testing.T, o lentOpener) {
	t.Helper()
	lentRush(o.open(t, func(l *seckill.Load) { l.Available = 50 }))
}

func lentMalformed(i *lentItem) {
	bad := func(change func(*seckill.ReserveRequest)) []seckill.ReserveRequest {
		request := i.ask("ann", 1, "")
		change(&request)
		return []seckill.ReserveRequest{i.ask("bob", 1, ""), request}
	}
	for name, requests := range map[string][]seckill.ReserveRequest{
		"none":              nil,
		"too many":          make([]seckill.ReserveRequest, seckill.ReserveBatchMax+1),
		"quantity 0":        bad(func(r *seckill.ReserveRequest) { r.Quantity = 0 }),
		"negative quantity": bad(func(r *seckill.ReserveRequest) { r.Quantity = -1 }),
		"huge quantity":     bad(func(r *seckill.ReserveRequest) { r.Quantity = 1<<63 - 1 }),
		"no id":             bad(func(r *seckill.ReserveRequest) { r.ID = 0 }),
		"a separator":       bad(func(r *seckill.ReserveRequest) { r.User = "a,b;c" }),
		"a quote":           bad(func(r *seckill.ReserveRequest) { r.KeyHash = `x","y` }),
		"no key hash":       bad(func(r *seckill.ReserveRequest) { r.KeyHash = "" }),
	} {
		_, err := i.Lent.Reserve(i.Context(), i.id, i.next(), requests)
		if err == nil || errors.Is(err, seckill.ErrNotLive) {
			i.Errorf("%s: error %v", name, err)
		}
	}
	if s := i.state(); s.Sold != 0 || s.Available != lentStock || s.Unsent != 0 {
		i.Errorf("state %+v after calls that should do nothing", s)
	}
}

// lentRush lets callers race for 50 units one by one.
func lentRush(i *lentItem) {
	const callers, each = 4, 20
	var group sync.WaitGroup
	var accepted, soldOut atomic.Int64
	for c := range callers {
		group.Go(func() {
			for n := range each {
				reply, err := i.Lent.Reserve(i.Context(), i.id, i.next(), []seckill.ReserveRequest{i.ask(fmt.Sprintf("u%d-%d", c, n), 1, "")})
				if err != nil {
					i.Error(err)
					return
				}
				switch reply.Outcomes[0].Code { //nolint:exhaustive // the others are counted as missing
				case seckill.ReserveAccepted:
					accepted.Add(1)
				case seckill.ReserveSoldOut:
					soldOut.Add(1)
				}
			}
		})
	}
	group.Wait()
	if accepted.Load() != 50 || soldOut.Load() != callers*each-50 || i.state().Available != 0 {
		i.Errorf("accepted %d, sold out %d", accepted.Load(), soldOut.Load())
	}
}
