package sandbox_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/sandbox"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// taken are the amounts of a payment's charges, with their currencies.
func (f *fixture) taken(t testing.TB, payment seckill.Payment) (amounts []int64, currencies []string) {
	t.Helper()
	for _, c := range f.close(t, payment) {
		amounts, currencies = append(amounts, c.AmountMinor), append(currencies, c.Currency)
	}
	return amounts, currencies
}

func TestPay(t *testing.T) {
	t.Parallel()
	for behave, want := range map[sandbox.Behaviour][]int64{
		sandbox.BehavePay:           {1290},
		sandbox.BehaveTwice:         {1290, 1290},
		sandbox.BehaveLate:          {1290},
		sandbox.BehaveWrongAmount:   {1289},
		sandbox.BehaveWrongCurrency: {1290},
	} {
		t.Run("takes what is asked for: "+string(behave), func(t *testing.T) {
			t.Parallel()
			f := open(t)
			payment := f.payment(t, 7)
			f.wantPay(t, http201, payment.Session, `{"behave":"`+string(behave)+`"}`)
			amounts, currencies := f.taken(t, payment)
			if !slices.Equal(amounts, want) || (currencies[0] != "EUR") != (behave == sandbox.BehaveWrongCurrency) {
				t.Errorf("took %v %v", amounts, currencies)
			}
			eventually(t, "all of it is told", func() bool { return len(f.shop.toldOf(payment.Session)) == len(want) })
		})
	}
	t.Run("takes no money from the deadline on, unless it is to be late", paysLate)
	t.Run("takes money after a while, if it still can", paysAfterAWhile)
	t.Run("keeps a promise over a kill, once", paysAfterKill)
	t.Run("refuses what it does not understand, and takes nothing", paysNothing)
}

func paysLate(t *testing.T) {
	t.Parallel()
	f := open(t)
	expired, closed := f.payment(t, 7), f.payment(t, 8)
	f.clock.Advance(15 * time.Minute)
	f.close(t, closed)
	for _, over := range []seckill.Payment{expired, closed} {
		for _, behave := range sandbox.Behaviours() {
			if behave != sandbox.BehaveLate {
				f.wantPay(t, http409, over.Session, `{"behave":"`+string(behave)+`"}`)
			}
		}
		f.wantPay(t, http201, over.Session, `{"behave":"late"}`)
		if amounts, _ := f.taken(t, over); !slices.Equal(amounts, []int64{1290}) {
			t.Errorf("took %v", amounts)
		}
	}
	f.close(t, seckill.Payment{ID: 9}) // of a payment that was never opened nobody knows the price
	for _, e := range f.entries(t) {
		if e.Reference == "9" {
			f.wantPay(t, http409, e.Session, `{"behave":"late"}`)
		}
	}
}

func paysAfterAWhile(t *testing.T) {
	t.Parallel()
	f := open(t)
	kept, closed, late := f.payment(t, 1), f.payment(t, 2), f.payment(t, 3)
	f.wantPay(t, http202, kept.Session, `{"delay":2.5}`)
	f.wantPay(t, http202, closed.Session, `{"behave":"twice","delay":2.5}`)
	f.wantPay(t, http202, late.Session, `{"behave":"late","delay":2.5}`)
	f.close(t, closed)
	f.close(t, late)
	f.await(t, 2400*time.Millisecond)
	if n := f.count(t, sandbox.KindCharged); n != 0 {
		t.Errorf("took money %d times too early", n)
	}
	f.await(t, 100*time.Millisecond)
	eventually(t, "two payments", func() bool { return f.count(t, sandbox.KindCharged) == 2 })
	for payment, want := range map[seckill.Payment]int{kept: 1, closed: 0, late: 1} {
		if amounts, _ := f.taken(t, payment); len(amounts) != want {
			t.Errorf("payment %s took %v", payment.ID, amounts)
		}
	}
}

// await moves the clock when somebody waits for it to.
func (f *fixture) await(t testing.TB, d time.Duration) {
	t.Helper()
	eventually(t, "somebody waits", func() bool { return f.clock.Pending() > 0 })
	f.clock.Advance(d)
}

func paysAfterKill(t *testing.T) {
	t.Parallel()
	f := open(t)
	payment := f.payment(t, 1)
	f.wantPay(t, http202, payment.Session, `{"behave":"late","delay":60}`)
	f = f.crash(t, "")
	f.await(t, time.Minute)
	eventually(t, "the payment", func() bool { return f.count(t, sandbox.KindCharged) == 1 })
	eventually(t, "the notice", func() bool { return f.count(t, sandbox.KindTold) == 1 })
	f = f.crash(t, "")
	f.wantPay(t, http202, f.payment(t, 2).Session, `{"delay":1}`)
	f.await(t, time.Second)
	eventually(t, "the other payment", func() bool { return f.count(t, sandbox.KindCharged) == 2 })
	if amounts, _ := f.taken(t, payment); len(amounts) != 1 {
		t.Errorf("took %v", amounts)
	}
}

func paysNothing(t *testing.T) {
	t.Parallel()
	f := open(t)
	payment := f.payment(t, 1)
	for _, body := range []string{
		`{"behave":"steal"}`, `{"delay":-1}`, `{"delay":3601}`, `{"delay":"1"}`, `[]`, `{`, `{"behave":7}`,
	} {
		f.wantPay(t, http.StatusBadRequest, payment.Session, body)
	}
	f.wantPay(t, http.StatusRequestEntityTooLarge, payment.Session, `{"behave":"`+strings.Repeat("x", 17<<10)+`"}`)
	f.wantPay(t, http.StatusNotFound, "cs_none", `{}`)
	f.wantPay(t, http.StatusNotFound, "cs_none", `{"delay":1}`)
	if n := f.count(t, sandbox.KindCharged); n != 0 {
		t.Errorf("took money %d times", n)
	}
	f.wantPay(t, http201, payment.Session, "")
}

const (
	formType = "application/x-www-form-urlencoded"
	browser  = "text/html,application/xhtml+xml"
)

func TestPage(t *testing.T) {
	t.Parallel()
	t.Run("shows people what to pay, takes a form, and leads back to the page", pageTakesForm)
	t.Run("says that a payment is still to come", pageSaysLater)
	t.Run("shows a title as it is and an address that leads nowhere as such", pageShows)
}

func pageTakesForm(t *testing.T) {
	t.Parallel()
	f := open(t)
	payment := f.payment(t, 7)
	path := "/pay/" + payment.Session
	status, page := f.call(t, http.MethodGet, path, "", "Accept", browser)
	if status != http.StatusOK || !strings.Contains(page, "Pay 12.90 EUR") || !strings.Contains(page, "10:15:00 UTC") {
		t.Errorf("%d: %s", status, page)
	}
	status, place := f.call(t, http.MethodPost, path, "behave=pay", "Accept", browser, "Content-Type", formType)
	if status != http.StatusSeeOther || place != payment.Session {
		t.Errorf("%d to %s", status, place)
	}
	status, page = f.call(t, http.MethodGet, path, "", "Accept", browser)
	if status != http.StatusOK || !strings.Contains(page, "Paid.") || strings.Contains(page, `value="pay"`) {
		t.Errorf("%d: %s", status, page)
	}
	status, page = f.call(t, http.MethodPost, path, "behave=pay&delay=", "Accept", browser, "Content-Type", formType)
	if status != http409 || !strings.Contains(page, "nothing was taken") {
		t.Errorf("%d: %s", status, page)
	}
}

func pageSaysLater(t *testing.T) {
	t.Parallel()
	f := open(t)
	payment := f.payment(t, 7)
	status, place := f.call(t, http.MethodPost, "/pay/"+payment.Session, "behave=late&delay=5", "Accept", browser, "Content-Type", formType)
	if status != http.StatusSeeOther || place != payment.Session+"?later" {
		t.Errorf("%d to %s", status, place)
	}
	if _, page := f.call(t, http.MethodGet, "/pay/"+place, "", "Accept", browser); !strings.Contains(page, "by itself") {
		t.Error(page)
	}
}

func pageShows(t *testing.T) {
	t.Parallel()
	f := open(t)
	p := seckill.Payment{ID: 7, AmountMinor: 500, Currency: "JPY", ExpiresAt: f.clock.Now().Add(time.Hour)}
	session, _, err := f.Open(t.Context(), p, `<script>alert("mug")</script>`)
	must(t, err)
	if _, page := f.call(t, http.MethodGet, "/pay/"+session, "", "Accept", browser); strings.Contains(page, "<script") || !strings.Contains(page, "500 JPY") {
		t.Error(page)
	}
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		status, page := f.call(t, method, "/pay/cs_none", "", "Accept", browser)
		if status != http.StatusNotFound || !strings.Contains(page, "There is no such payment") {
			t.Errorf("%s: %d %s", method, status, page)
		}
	}
}
