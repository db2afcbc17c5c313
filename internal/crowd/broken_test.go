package crowd_test

import (
	"maps"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/api"
	"github.com/seckill-dev/seckill/internal/crowd"
)

// once spoils the first order list that has an order.
func once(change func(orders []api.Order) []api.Order) func(*shop, string, []api.Order) []api.Order {
	done := false
	return func(_ *shop, _ string, orders []api.Order) []api.Order {
		if done || len(orders) == 0 {
			return orders
		}
		done = true
		return change(orders)
	}
}

// broken is a way to break a promise, and what the crowd must call it.
type broken struct {
	kind  crowd.ProblemKind
	spoil func(*shop)
}

// brokenOrders break a promise in the orders, brokenAnswers in what a purchase is told, brokenBooks behind both.
func brokenOrders() map[string]broken {
	spoilt := func(kind crowd.ProblemKind, change func([]api.Order) []api.Order) broken {
		return broken{kind, func(s *shop) { s.orders = once(change) }}
	}
	return map[string]broken{
		"loses an order":   spoilt(crowd.LostOrder, func(orders []api.Order) []api.Order { return orders[1:] }),
		"doubles an order": spoilt(crowd.DoubledOrder, func(orders []api.Order) []api.Order { return append(orders, orders[0]) }),
		"makes a second order under another id": spoilt(crowd.UnaskedOrder, func(orders []api.Order) []api.Order {
			return append(orders, orderOf("7", 1))
		}),
		"makes an order of another quantity": spoilt(crowd.OrderDiffers, func(orders []api.Order) []api.Order {
			orders[0] = orderOf(orders[0].ID, orders[0].Quantity+1)
			return orders
		}),
		"asks another price": spoilt(crowd.OrderDiffers, func(orders []api.Order) []api.Order {
			orders[0].AmountMinor++
			return orders
		}),
		"gives an order to two shoppers": {crowd.DoubledOrder, func(s *shop) {
			s.orders = func(_ *shop, _ string, orders []api.Order) []api.Order { return append(orders, orderOf("7", 1)) }
		}},
		"forgets the limit": {crowd.OverLimit, forgetLimit},
	}
}

// forgetLimit hides from the shop what a user has.
func forgetLimit(s *shop) {
	s.units, s.left = 1000, 1000
	s.before = func(s *shop, user, _ string, _ int64) *api.Problem {
		s.byUser[user+" before"] = append(s.byUser[user+" before"], s.byUser[user]...)
		s.byUser[user] = nil
		return nil
	}
	s.orders = func(s *shop, user string, orders []api.Order) []api.Order {
		for _, id := range s.byUser[user+" before"] {
			orders = append(orders, orderOf(id, s.booked[id].quantity))
		}
		return orders
	}
}

func brokenAnswers() map[string]broken {
	// When a purchase is such, its answer is this.
	spoilt := func(kind crowd.ProblemKind, when func(s *shop, user, key string) bool, answer api.Problem) broken {
		return broken{kind, func(s *shop) {
			s.before = func(s *shop, user, key string, _ int64) *api.Problem { return problemIf(when(s, user, key), answer) }
		}}
	}
	var none int64
	plenty := int64(50)
	holds := func(s *shop, user, key string) bool { return s.known(user, key) != nil }
	now := func(s *shop, _, key string) bool { return s.everyNth(9) && key == "" }
	return map[string]broken{
		"answers sold_out to a key that holds a unit": spoilt(crowd.RefusedThough, holds,
			api.Problem{Reason: api.ReasonSoldOut, Available: &none}),
		"answers limit_reached to a key that holds a unit": spoilt(crowd.RefusedThough, holds,
			api.Problem{Reason: api.ReasonLimitReached}),
		"says sold_out with enough left":                 spoilt(crowd.FalseSoldOut, now, api.Problem{Reason: api.ReasonSoldOut, Available: &plenty}),
		"says sold_out without saying how many are left": spoilt(crowd.FalseSoldOut, now, api.Problem{Reason: api.ReasonSoldOut}),
		"refuses what a correct client asks":             spoilt(crowd.Unexpected, now, api.Problem{Reason: api.ReasonForbidden}),
		"serves nobody":                                  spoilt(crowd.Unserved, func(*shop, string, string) bool { return true }, api.Problem{Reason: api.ReasonEnded}),
		"makes another reservation for the same key": {crowd.OtherReservation, func(s *shop) {
			s.units, s.left, s.limit = 1000, 1000, 6
			s.before = func(s *shop, user, key string, _ int64) *api.Problem {
				delete(s.keys, user+" "+key)
				return nil
			}
		}},
		"rejects what it had promised": {crowd.Rejected, firstStays(api.ReservationStatusRejected)},
		"never decides":                {crowd.Undecided, firstStays(api.ReservationStatusQueued)},
	}
}

// firstStays gives the first reservation of a shop a status of its own.
func firstStays(status api.ReservationStatus) func(*shop) {
	return func(s *shop) {
		s.status = func(_ *shop, b *booked) api.ReservationStatus {
			if b.id == "1001" {
				return status
			}
			return api.ReservationStatusOrdered
		}
	}
}

func brokenBooks() map[string]broken {
	audited := func(report api.AuditReport) broken {
		return broken{crowd.AuditFinding, func(s *shop) { s.audit = report }}
	}
	everything := api.AuditChecked{Orders: 1e6}
	return map[string]broken{
		"sells more than there is":           {crowd.Oversold, func(s *shop) { s.left += 5 }},
		"has an audit with a finding":        audited(api.AuditReport{Checked: everything, Findings: []api.Finding{{ID: "claimed", Table: "stock", Key: itemID}}}),
		"has an audit that is not ok":        audited(api.AuditReport{Checked: everything, Findings: []api.Finding{}}),
		"has an audit that looks at nothing": audited(api.AuditReport{Ok: true, Findings: []api.Finding{}}),
		"forgets a reservation": {crowd.UnknownHeld, func(s *shop) {
			s.after = func(s *shop, b *booked) *api.Problem {
				if b.id == "1001" {
					delete(s.booked, b.id)
					s.byUser[b.user] = nil
				}
				return nil
			}
		}},
	}
}

func TestBrokenShop(t *testing.T) {
	t.Parallel()
	shops := brokenOrders()
	maps.Copy(shops, brokenAnswers())
	maps.Copy(shops, brokenBooks())
	for name, broken := range shops {
		t.Run("does not add up when it "+name, func(t *testing.T) {
			t.Parallel()
			s := newShop(100)
			broken.spoil(s)
			c := config(s.open(t).URL)
			if broken.kind == crowd.Undecided {
				c.Patience = time.Second
			}
			report := play(t, c)
			if report.Counts[broken.kind] == 0 || report.Verdict() == nil {
				t.Errorf("no %s in %v; %s", broken.kind, report.Counts, s)
			}
		})
	}
}

func TestRejectedAfterQueued(t *testing.T) {
	t.Parallel()

	t.Run("adds up when it rejects what it had promised and that is allowed", func(t *testing.T) {
		t.Parallel()
		s := newShop(100)
		firstStays(api.ReservationStatusRejected)(s)
		s.orders = func(_ *shop, _ string, orders []api.Order) []api.Order {
			if len(orders) > 0 && orders[0].ID == "1001" {
				return orders[1:]
			}
			return orders
		}
		c := config(s.open(t).URL)
		c.AllowRejected = true
		report := play(t, c)
		addsUp(t, report)
		if report.Rejected != 1 {
			t.Errorf("%d rejected", report.Rejected)
		}
	})

	t.Run("does not add up when it orders what it rejected", func(t *testing.T) {
		t.Parallel()
		s := newShop(100)
		firstStays(api.ReservationStatusRejected)(s)
		c := config(s.open(t).URL)
		c.AllowRejected = true
		if report := play(t, c); report.Counts[crowd.RejectedOrdered] != 1 {
			t.Errorf("counts are %v", report.Counts)
		}
	})
}
