package sandbox_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/sandbox"
	"github.com/seckill-dev/seckill/internal/seckill"
)

func TestNotices(t *testing.T) {
	t.Parallel()
	t.Run("are sent again until the shop confirms, and not afterwards", noticesAreRepeated)
	t.Run("are sent after a kill, when the shop has not confirmed", noticesOutliveKill)
	t.Run("are given up after a day", noticesEnd)
	t.Run("are signed anew each time, with the same id", noticesAreSigned)
	t.Run("come out of order and repeatedly, if that is wanted", noticesAreShuffled)
	t.Run("are under way at most so many at once, and hold up no payment", noticesAreBounded)
	t.Run("follow the shop to no other address", noticesFollowNobody)
	t.Run("go to another address of the shop at once, when the first does not take them", noticesGoAround)
}

// hours moves the clock until done says so.
func (f *fixture) hours(t testing.TB, what string, done func() bool) {
	t.Helper()
	eventually(t, what, func() bool {
		if !done() && f.clock.Pending() > 0 {
			f.clock.Advance(time.Minute)
		}
		return done()
	})
}

func noticesAreRepeated(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.shop.answers(http.StatusServiceUnavailable)
	payment := f.payment(t, 7)
	f.wantPay(t, http201, payment.Session, `{}`)
	f.hours(t, "five tries", func() bool { return len(f.shop.told()) >= 5 })
	if n := f.count(t, sandbox.KindTold); n != 0 {
		t.Error("the shop never confirmed, and the ledger says it did")
	}
	f.shop.answers(http.StatusOK)
	f.hours(t, "the confirmation", func() bool { return f.count(t, sandbox.KindTold) == 1 })
	told := len(f.shop.told())
	f.clock.Advance(time.Hour)
	other := f.payment(t, 8)
	f.wantPay(t, http201, other.Session, `{}`)
	eventually(t, "the other notice", func() bool { return len(f.shop.toldOf(other.Session)) == 1 })
	if again := len(f.shop.toldOf(payment.Session)); again != told {
		t.Errorf("told %d times, and %d more after it was confirmed", told, again-told)
	}
}

func noticesGoAround(t *testing.T) {
	t.Parallel()
	f := openWith(t, func(o *sandbox.ServerOptions) {
		o.Webhooks, o.Webhook = []string{o.Webhook}, "http://127.0.0.1:1"
	})
	payment := f.payment(t, 7)
	f.wantPay(t, http201, payment.Session, `{}`)
	eventually(t, "the confirmation, while the clock stands still", func() bool { return f.count(t, sandbox.KindTold) == 1 })
}

func noticesOutliveKill(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.shop.answers(http.StatusInternalServerError)
	payment := f.payment(t, 7)
	f.wantPay(t, http201, payment.Session, `{"behave":"twice"}`)
	f = f.crash(t, "")
	f.shop.answers(http.StatusNoContent)
	f.hours(t, "both confirmations", func() bool { return f.count(t, sandbox.KindTold) == 2 })
	told := len(f.shop.told())
	f = f.crash(t, "")
	f.wantPay(t, http201, f.payment(t, 8).Session, `{}`)
	eventually(t, "the notice after the second kill", func() bool { return f.count(t, sandbox.KindTold) == 3 })
	if again := len(f.shop.told()); again != told+1 {
		t.Errorf("told %d times what was confirmed", again-told-1)
	}
}

func noticesEnd(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.shop.answers(http.StatusNotFound)
	f.wantPay(t, http201, f.payment(t, 7).Session, `{}`)
	f.await(t, 23*time.Hour)
	eventually(t, "another try", func() bool { return len(f.shop.told()) > 1 })
	if n := f.count(t, sandbox.KindGivenUp); n != 0 {
		t.Error("given up within a day")
	}
	f.await(t, 2*time.Hour)
	eventually(t, "the end", func() bool { return f.count(t, sandbox.KindGivenUp) == 1 })
	f = f.crash(t, "")
	tries := len(f.shop.told())
	f.shop.answers(http.StatusOK)
	f.wantPay(t, http201, f.payment(t, 8).Session, `{}`)
	eventually(t, "another notice", func() bool { return f.count(t, sandbox.KindTold) == 1 })
	if again := len(f.shop.told()); again != tries+1 {
		t.Errorf("tried %d times what was given up", again-tries-1)
	}
}

func noticesAreSigned(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.shop.answers(http.StatusBadGateway)
	f.wantPay(t, http201, f.payment(t, 7).Session, `{}`)
	f.hours(t, "several tries", func() bool { return len(f.shop.told()) >= 10 })
	first := f.shop.told()[0]
	for _, n := range f.shop.told() {
		n.At = n.At.Add(-time.Minute) // the test may have moved the clock while it was on its way
		charges, err := f.Read(n)
		if err != nil || len(charges) != 1 || charges[0].Payment != 7 {
			t.Errorf("told %+v, %v", charges, err)
		}
		if string(n.Body) != string(first.Body) {
			t.Errorf("told %s, and then %s", first.Body, n.Body)
		}
	}
}

func noticesAreShuffled(t *testing.T) {
	t.Parallel()
	const payments, repeats = 20, 2
	f := openWith(t, func(o *sandbox.ServerOptions) { o.NoticeSpread, o.NoticeRepeats = time.Hour, repeats })
	for id := range seckill.ID(payments) {
		f.wantPay(t, http201, f.payment(t, id+1).Session, `{}`)
	}
	f.hours(t, "all notices", func() bool { return len(f.shop.told()) == payments*(1+repeats) })
	var order []seckill.ID
	for _, n := range f.shop.told() {
		n.At = f.clock.Now()
		for d := time.Duration(0); ; d += time.Minute { // whenever it was signed
			n.At = f.clock.Now().Add(-d)
			if charges, err := f.Read(n); err == nil {
				order = append(order, charges[0].Payment)
				break
			}
			if d > 4*time.Hour {
				t.Fatal("the signature is of no time")
			}
		}
	}
	if slices.IsSorted(order[:payments]) {
		t.Errorf("they came in order: %v", order)
	}
	if n := f.count(t, sandbox.KindTold); n != payments {
		t.Errorf("%d charges are confirmed", n)
	}
}

func noticesAreBounded(t *testing.T) {
	t.Parallel()
	const payments, atOnce = 160, 128
	f := open(t)
	f.shop.hold(t)
	for id := range seckill.ID(payments) {
		f.wantPay(t, http201, f.payment(t, id+1).Session, `{}`)
	}
	f.wantPay(t, http202, f.payment(t, 1000).Session, `{"delay":1}`)
	f.await(t, time.Second)
	eventually(t, "the promised payment", func() bool { return f.count(t, sandbox.KindCharged) == payments+1 })
	eventually(t, "as many notices as there may be", func() bool { return len(f.shop.told()) == atOnce })
	f.shop.letGo()
	eventually(t, "all notices", func() bool { return f.count(t, sandbox.KindTold) == payments+1 })
	f.shop.mu.Lock()
	defer f.shop.mu.Unlock()
	if f.shop.busiest > atOnce {
		t.Errorf("%d notices were under way at once", f.shop.busiest)
	}
}

func noticesFollowNobody(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.shop.answers(http.StatusFound)
	f.wantPay(t, http201, f.payment(t, 7).Session, `{}`)
	f.hours(t, "another try", func() bool { return len(f.shop.told()) > 1 })
	if n := f.count(t, sandbox.KindTold); n != 0 {
		t.Error("a redirection was taken for a confirmation")
	}
}
