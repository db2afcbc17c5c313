package stripe_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

func TestSpentKeys(t *testing.T) {
	t.Parallel()
	t.Run("of a session that was never made end the payment, and the next one's works", spentByFailure)
	t.Run("of a session that was never made leave nothing to be closed", spentAndClosed)
	t.Run("find the session in whose answer something went wrong", spentAndMade)
	t.Run("are asked about near their payment first, however many sessions came later", spentFoundSoon)
}

func spentByFailure(t *testing.T) {
	t.Parallel()
	f := open(t)
	payment := f.payment(time.Hour)
	f.stripe.stumbles = 1
	if _, _, err := f.Open(t.Context(), payment, "Mug"); err == nil || errors.Is(err, seckill.ErrOver) {
		t.Fatalf("the first failure says %v", err)
	}
	for range 2 {
		if _, _, err := f.Open(t.Context(), payment, "Mug"); !errors.Is(err, seckill.ErrOver) {
			t.Fatalf("asked again it says %v", err)
		}
	}
	if charges, err := f.Close(t.Context(), payment); err != nil || len(charges) > 0 {
		t.Fatalf("closing says %+v, %v", charges, err)
	}
	payment.ID++
	if session, _, err := f.Open(t.Context(), payment, "Mug"); err != nil || !f.stripe.pay(session) {
		t.Errorf("the next one says %v", err)
	}
}

func spentAndClosed(t *testing.T) {
	t.Parallel()
	for what, again := range map[string]string{"as the first try": "open", "as closing did": "close"} {
		f := open(t)
		payment := f.payment(time.Hour)
		f.stripe.stumbles = 1
		if again == "open" {
			_, _, _ = f.Open(t.Context(), payment, "Mug")
		} else if _, err := f.Close(t.Context(), payment); err == nil {
			t.Errorf("%s: closed with a failure", what)
		}
		if charges, err := f.Close(t.Context(), payment); err != nil || len(charges) > 0 {
			t.Errorf("%s: %+v, %v", what, charges, err)
		}
		if session, _, err := f.Open(t.Context(), payment, "Mug"); !errors.Is(err, seckill.ErrOver) {
			t.Errorf("%s: opened %s after the end: %v", what, session, err)
		}
	}
}

func spentAndMade(t *testing.T) {
	t.Parallel()
	f := open(t)
	payment := f.payment(time.Hour)
	session, address, err := f.Open(t.Context(), payment, "Mug")
	must(t, err)
	saved := f.stripe.saved[payment.ID.String()]
	saved.status, saved.body = http.StatusInternalServerError, []byte(`{"error":{"type":"api_error"}}`)
	f.stripe.saved[payment.ID.String()] = saved
	found, again, err := f.Open(t.Context(), payment, "Mug")
	if err != nil || found != session || again != address {
		t.Errorf("opened %s, then %s: %v", session, found, err)
	}
	if _, err := f.Close(t.Context(), payment); err != nil || f.stripe.pay(session) {
		t.Errorf("it takes money after it was closed: %v", err)
	}
}

func spentFoundSoon(t *testing.T) {
	t.Parallel()
	f := open(t)
	payment := f.payment(time.Hour)
	_, _, err := f.Open(t.Context(), payment, "Mug")
	must(t, err)
	f.clock.Advance(time.Minute)
	f.crowd(t, 300)
	before := len(f.stripe.heard())
	_, err = f.Close(t.Context(), payment)
	must(t, err)
	if asked := f.stripe.heard()[before:]; len(asked) != 3 {
		t.Errorf("it took %d requests: %s", len(asked), asked)
	}
}

func TestOver(t *testing.T) {
	t.Parallel()
	for what, change := range map[string]func(c *checkout){
		"has expired": func(c *checkout) { c.status = "expired" },
		"is paid":     func(c *checkout) { c.status, c.payment, c.intent = "complete", "paid", "pi_1" },
	} {
		t.Run("is a payment whose session, found in the list, "+what, func(t *testing.T) {
			t.Parallel()
			f := open(t)
			payment := f.payment(time.Hour)
			session, _, err := f.Open(t.Context(), payment, "Mug")
			must(t, err)
			f.stripe.change(session, change)
			if _, _, err := f.Open(t.Context(), payment, "Enamel mug"); !errors.Is(err, seckill.ErrOver) {
				t.Errorf("it says %v", err)
			}
		})
	}
	t.Run("is a payment after its time, and another one takes its place", overAfterADay)
}

// overAfterADay is an order that may be paid for a week.
func overAfterADay(t *testing.T) {
	t.Parallel()
	f := open(t)
	for day := range seckill.ID(7) {
		payment := f.payment(f.Lives())
		payment.ID += day
		session, _, err := f.Open(t.Context(), payment, "Mug")
		must(t, err)
		f.clock.Advance(24 * time.Hour)
		if f.stripe.pay(session) {
			t.Fatal("a session lived for a day")
		}
		payment.Session = session
		if charges, err := f.Close(t.Context(), payment); err != nil || len(charges) > 0 {
			t.Fatalf("closing says %+v, %v", charges, err)
		}
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for what, change := range map[string]func(*seckill.Payment){
		"too small an amount":                func(p *seckill.Payment) { p.AmountMinor = 49 },
		"a currency that nobody is sure of":  func(p *seckill.Payment) { p.Currency = "UGX" },
		"an amount that Stripe cannot write": func(p *seckill.Payment) { p.Currency, p.AmountMinor = "ISK", 1<<62 },
	} {
		t.Run("is "+what+", and such a payment can be closed", func(t *testing.T) {
			t.Parallel()
			f := open(t)
			payment := f.payment(time.Hour)
			change(&payment)
			if _, _, err := f.Open(t.Context(), payment, "Mug"); !errors.Is(err, seckill.ErrRefused) {
				t.Errorf("opening says %v", err)
			}
			for range 2 {
				if charges, err := f.Close(t.Context(), payment); err != nil || len(charges) > 0 {
					t.Errorf("closing says %+v, %v", charges, err)
				}
			}
		})
	}
}

func TestKrona(t *testing.T) {
	t.Parallel()
	t.Run("is asked for, told of and given back in hundredths", func(t *testing.T) {
		t.Parallel()
		f := open(t)
		payment := f.payment(time.Hour)
		payment.AmountMinor, payment.Currency = 2500, "ISK"
		var err error
		payment.Session, _, err = f.Open(t.Context(), payment, "Mug")
		must(t, err)
		if asked := f.stripe.heard()[0]; !strings.Contains(asked, "unit_amount%5D=250000&") {
			t.Errorf("asked for %s", asked)
		}
		f.stripe.pay(payment.Session)
		told, err := f.Read(sign(f.stripe.event(payment.Session, "checkout.session.completed"), f.clock.Now()))
		must(t, err)
		closed, err := f.Close(t.Context(), payment)
		must(t, err)
		if told[0].AmountMinor != 2500 || told[0].Currency != "ISK" || closed[0].AmountMinor != 2500 {
			t.Errorf("told of %+v, closed with %+v", told, closed)
		}
		back := seckill.Refund{Txn: told[0].Txn, AmountMinor: 2500, Currency: "ISK"}
		must(t, f.Refund(t.Context(), back))
		back.Tries++
		must(t, f.Refund(t.Context(), back))
	})
}

// TestGarbage: whoever answers in Stripe's place, or Stripe on a bad day, is not believed.
func TestGarbage(t *testing.T) {
	t.Parallel()
	for what, says := range map[string]func(w http.ResponseWriter, r *http.Request){
		"nothing":        func(http.ResponseWriter, *http.Request) {},
		"no JSON":        func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>OK</html>")) },
		"JSON of no use": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{}`)) },
		"a list":         func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"object":"list","data":[]}`)) },
		"an open session with a place to run to": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"id":"cs_1","status":"open","url":"javascript:alert(1)"}`))
		},
		"an error that is none": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadGateway)
			_, _ = w.Write([]byte(`{"error":null}`))
		},
		"a long page": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadGateway)
			_, _ = w.Write([]byte(`{"a":"` + strings.Repeat("x", 1<<20) + `"}`))
		},
		"without an end": func(w http.ResponseWriter, _ *http.Request) {
			for err := error(nil); err == nil; {
				_, err = w.Write([]byte(strings.Repeat(" ", 1<<16)))
			}
		},
		"another place": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/v1/refunds", http.StatusTemporaryRedirect)
		},
	} {
		t.Run("is "+what, func(t *testing.T) {
			t.Parallel()
			f := open(t)
			payment := f.payment(time.Hour)
			f.stripe.says = says
			_, _, openErr := f.Open(t.Context(), payment, "Mug")
			_, unheardErr := f.Close(t.Context(), payment)
			payment.Session = "cs_1"
			_, closeErr := f.Close(t.Context(), payment)
			refundErr := f.Refund(t.Context(), seckill.Refund{Txn: "pi_1", AmountMinor: 1290, Currency: "EUR"})
			for _, err := range []error{openErr, unheardErr, closeErr, refundErr} {
				if err != nil && len(err.Error()) > 1000 {
					t.Errorf("the error has %d bytes", len(err.Error()))
				}
			}
			if openErr == nil || unheardErr == nil || closeErr == nil || refundErr == nil {
				t.Errorf("opened: %v, closed what was unheard of: %v, closed: %v, refunded: %v", openErr, unheardErr, closeErr, refundErr)
			}
		})
	}
}

func TestBusy(t *testing.T) {
	t.Parallel()
	for what, it := range map[string]struct {
		status int
		answer string
	}{
		"has failed":                             {http.StatusInternalServerError, `{"error":{"type":"api_error"}}`},
		"is asked too much":                      {http.StatusTooManyRequests, `{"error":{"type":"invalid_request_error","code":"rate_limit"}}`},
		"is being asked the same at this moment": {http.StatusConflict, `{"error":{"type":"idempotency_error","code":"idempotency_key_in_use"}}`},
	} {
		t.Run("is a provider that "+what, func(t *testing.T) {
			t.Parallel()
			f := open(t)
			payment := f.payment(time.Hour)
			f.stripe.says = func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(it.status)
				_, _ = w.Write([]byte(it.answer))
			}
			_, _, openErr := f.Open(t.Context(), payment, "Mug")
			_, closeErr := f.Close(t.Context(), payment)
			for _, err := range []error{openErr, closeErr} {
				if !errors.Is(err, seckill.ErrUnavailable) || errors.Is(err, seckill.ErrOver) {
					t.Errorf("it says %v", err)
				}
			}
		})
	}
}
