package crowd_test

import (
	"errors"
	"maps"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/api"
	"github.com/seckill-dev/seckill/internal/crowd"
)

// everything is a mix in which everything happens.
func everything() crowd.Mix {
	return crowd.Mix{Pay: 50, Abandon: 10, Cancel: 15, Late: 10, Twice: 5, Again: 10}
}

// busy is a shop whose orders are to be paid soon.
func busy(units int64) *shop {
	s := newShop(units)
	s.payWithin = 600 * time.Millisecond
	return s
}

// mixed is a quick crowd that pays, and whose provider is the same server.
func mixed(server *httptest.Server, mix crowd.Mix) crowd.Config {
	c := config(server.URL)
	c.ClockSlack = 100 * time.Millisecond
	c.Mix, c.LedgerURL, c.LedgerKey = mix, server.URL, "ledger-key"
	return c
}

func TestParseMix(t *testing.T) {
	t.Parallel()

	t.Run("reads weights in any order, and leaves out what is not named", func(t *testing.T) {
		t.Parallel()
		mix, err := crowd.ParseMix("again=5,pay=60,late=0")
		if want := (crowd.Mix{Pay: 60, Again: 5}); err != nil || mix != want {
			t.Errorf("got %+v, %v", mix, err)
		}
	})

	for text, wrong := range map[string]string{
		"steal=1":     `no part "steal"`,
		"pay":         "needs a weight",
		"pay=-1":      "needs a weight",
		"pay=x":       "needs a weight",
		"pay=1,pay=2": "twice",
		"pay=0":       "all weights are 0",
	} {
		t.Run("refuses "+text, func(t *testing.T) {
			t.Parallel()
			if _, err := crowd.ParseMix(text); err == nil || !strings.Contains(err.Error(), wrong) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestMix(t *testing.T) {
	t.Parallel()

	t.Run("sells every unit to somebody who pays, and the provider agrees", func(t *testing.T) {
		t.Parallel()
		s := busy(60)
		s.payWithin = 2 * time.Second
		c := mixed(s.open(t), everything())
		c.UntilSold = true
		report := play(t, c)
		addsUp(t, report)
		if report.Units != 60 || report.Stock.Paid != 60 || report.Money.Charges <= report.Money.Refunds || report.Money.Refunds == 0 {
			t.Errorf("%+v, stock %+v, money %+v", report, report.Stock, report.Money)
		}
		if r := report.Resale; report.ReturnedUnits == 0 || r.Units == 0 || r.Unseen != 0 || r.P99 < r.P50 || r.Max < r.P99 {
			t.Errorf("%d units came back, %+v", report.ReturnedUnits, r)
		}
	})

	t.Run("reads the clock of a shop that stood still until it answers quickly", func(t *testing.T) {
		t.Parallel()
		s := busy(60)
		s.drowsy = 4
		c := mixed(s.open(t), everything())
		c.Sale = saleID
		addsUp(t, play(t, c))
	})

	t.Run("goes home when nothing comes back any more", func(t *testing.T) {
		t.Parallel()
		c := mixed(newShop(40).open(t), crowd.Mix{Pay: 1})
		c.Patience = 4 * time.Second
		report := play(t, c)
		addsUp(t, report)
		if report.Paid != report.Orders || report.Money.Refunds != 0 || report.ReturnedUnits != 0 {
			t.Errorf("%+v", report)
		}
	})

	t.Run("adds up when answers are lost and the provider is away now and then", func(t *testing.T) {
		t.Parallel()
		s := busy(60)
		s.cut = func(s *shop) bool { return s.everyNth(7) }
		s.till.away = func(s *shop) bool { return s.everyNth(3) }
		c := mixed(s.open(t), everything())
		c.Patience = 4 * time.Second
		addsUp(t, play(t, c))
	})
}

func TestParts(t *testing.T) {
	t.Parallel()

	t.Run("gives the same parts to the same shoppers", func(t *testing.T) {
		t.Parallel()
		var cancelled [2]int64
		for i := range cancelled {
			c := mixed(newShop(1000).open(t), crowd.Mix{Pay: 1, Cancel: 1})
			c.Shoppers, c.TriesMax = 50, 1
			report := play(t, c)
			addsUp(t, report)
			cancelled[i] = report.Cancelled
		}
		if cancelled[0] != cancelled[1] || cancelled[0] == 0 {
			t.Errorf("cancelled were %v", cancelled)
		}
	})
}

// TestLockedOut: whoever is told limit_reached keeps away for a while, although the window is full of units.
func TestLockedOut(t *testing.T) {
	t.Parallel()
	s := busy(1000)
	asked := make(map[string]int) // since they have cancelled
	s.till.cancel = func(_ *shop, b *booked) bool {
		asked[b.user]++
		return false
	}
	s.before = func(s *shop, user, key string, _ int64) *api.Problem {
		barred := asked[user] > 0 && s.known(user, key) == nil
		if barred {
			asked[user]++
		}
		return problemIf(barred, api.Problem{Reason: api.ReasonLimitReached})
	}
	c := mixed(s.open(t), crowd.Mix{Pay: 1, Again: 1})
	c.Shoppers, c.Patience = 40, 4*time.Second
	report := play(t, c)
	if report.Counts[crowd.LockedOut] == 0 {
		t.Fatalf("nobody was locked out: %v", report.Counts)
	}
	for user, calls := range asked {
		if calls > 5 { // the cancellation, and then after 0, 0.5, 1.5 and 3.5 s at the soonest
			t.Errorf("%s asked %d times in two seconds", user, calls-1)
		}
	}
}

// brokenTills break a promise after the click.
func brokenTills() map[string]broken {
	spoilt := func(kind crowd.ProblemKind, faults tillFaults) broken {
		return broken{kind, func(s *shop) { s.till = faults }}
	}
	turned := func(from, to api.OrderStatus) broken {
		return spoilt(crowd.TurnedBack, tillFaults{order: turn(from, to)})
	}
	always := func(*shop, *booked) bool { return true }
	return map[string]broken{
		"takes back that an order was paid":      turned(api.OrderStatusPaid, api.OrderStatusCancelled),
		"forgets that an order was paid":         turned(api.OrderStatusPaid, api.OrderStatusUnpaid),
		"changes an order without its version":   spoilt(crowd.TurnedBack, tillFaults{still: true}),
		"pays what was cancelled":                turned(api.OrderStatusCancelled, api.OrderStatusPaid),
		"forgets deadlines":                      spoilt(crowd.Overdue, tillFaults{asleep: true}),
		"cancels what nobody gave up":            spoilt(crowd.CancelledEarly, tillFaults{order: become(api.OrderStatusCancelled)}),
		"says that orders are paid that are not": spoilt(crowd.PaidUnasked, tillFaults{order: become(api.OrderStatusPaid)}),
		"refuses to cancel":                      spoilt(crowd.NotCancelled, tillFaults{cancel: always}),
		"lets nobody pay":                        spoilt(crowd.Unpayable, tillFaults{begin: always}),
		"takes late money for an order":          spoilt(crowd.PaidLate, tillFaults{asleep: true}),
		"locks out who cancelled": {crowd.LockedOut, func(s *shop) {
			gone := make(map[string]bool)
			s.till.cancel = func(_ *shop, b *booked) bool {
				gone[b.user] = true
				return false
			}
			s.before = func(s *shop, user, key string, _ int64) *api.Problem {
				return problemIf(gone[user] && s.known(user, key) == nil, api.Problem{Reason: api.ReasonLimitReached})
			}
		}},
	}
}

// turn changes the status of orders that were read with another one before.
func turn(from, to api.OrderStatus) func(*shop, *booked) {
	seen := make(map[*booked]bool)
	return func(_ *shop, b *booked) {
		if seen[b] && b.status == from {
			b.status = to
		}
		seen[b] = b.status == from
	}
}

func become(status api.OrderStatus) func(*shop, *booked) {
	return func(_ *shop, b *booked) { b.status = status }
}

// brokenLedgers are a provider that does not have what the shop says.
func brokenLedgers() map[string]broken {
	when := func(kind string, change func(l line) []line) func(*shop) {
		done := false
		return func(s *shop) {
			s.till.line = func(_ *shop, l line) []line {
				if done || l.Kind != kind {
					return []line{l}
				}
				done = true
				return change(l)
			}
		}
	}
	other := func(l line) line { l.Txn += "-b"; return l }
	more := func(l line) line { l.AmountMinor++; return l }
	return map[string]broken{
		"is paid by nobody":           {crowd.NoCharge, when("charged", func(line) []line { return nil })},
		"is paid twice":               {crowd.ChargedTwice, when("charged", func(l line) []line { return []line{l, other(l)} })},
		"takes another amount":        {crowd.WrongCharge, when("charged", func(l line) []line { return []line{more(l)} })},
		"keeps late money":            {crowd.ChargeKept, when("refunded", func(line) []line { return nil })},
		"gives money back twice":      {crowd.RefundedTwice, when("refunded", func(l line) []line { return []line{l, l} })},
		"gives another amount back":   {crowd.RefundDiffers, when("refunded", func(l line) []line { return []line{more(l)} })},
		"has sums that are not right": {crowd.LedgerDiffers, when("refunded", func(l line) []line { return []line{l, l} })},
	}
}

func TestBrokenTill(t *testing.T) {
	t.Parallel()
	shops := brokenTills()
	maps.Copy(shops, brokenLedgers())
	for name, broken := range shops {
		t.Run("does not add up when it "+name, func(t *testing.T) {
			t.Parallel()
			s := busy(1000)
			broken.spoil(s)
			c := mixed(s.open(t), everything())
			c.Shoppers, c.Patience, c.CloseWithin = 60, 1500*time.Millisecond, 100*time.Millisecond
			if broken.kind == crowd.ChargeKept {
				c.Mix = crowd.Mix{Pay: 1, Late: 1}
			}
			report := play(t, c)
			if report.Counts[broken.kind] == 0 || report.Verdict() == nil {
				t.Errorf("no %s in %v; %s", broken.kind, report.Counts, s)
			}
		})
	}

	t.Run("ends at once when nothing was left to sell", func(t *testing.T) {
		t.Parallel()
		s := newShop(20)
		s.left = 0
		c := mixed(s.open(t), crowd.Mix{Pay: 1})
		c.UntilSold, c.Shoppers = true, 5
		if _, err := crowd.Run(t.Context(), c); !errors.Is(err, crowd.ErrSoldOut) || !strings.Contains(err.Error(), "all 20 units are claimed") {
			t.Errorf("got %v", err)
		}
	})

	t.Run("does not add up when units are left unpaid", func(t *testing.T) {
		t.Parallel()
		s := newShop(20)
		s.units++
		c := mixed(s.open(t), crowd.Mix{Pay: 1})
		c.UntilSold, c.Patience, c.Shoppers = true, time.Second, 50
		if report := play(t, c); report.Counts[crowd.Unsold] != 1 {
			t.Errorf("counts are %v", report.Counts)
		}
	})
}
