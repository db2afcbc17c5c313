package stripe_test

import (
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seckill-dev/seckill/internal/seckill"
)

func TestOpen(t *testing.T) {
	t.Parallel()
	t.Run("asks for exactly what the order costs, by card, with its names", opensAsked)
	t.Run("asks for an end that Stripe allows, whenever the order is due", opensUntil)
	t.Run("asks for the same when it asks again later", opensSame)
	t.Run("finds its session among many when the title was corrected", opensFound)
}

func opensAsked(t *testing.T) {
	t.Parallel()
	f := open(t)
	payment := f.payment(15 * time.Minute)
	_, _, err := f.Open(t.Context(), payment, "Enamel mug")
	must(t, err)
	sent, err := url.ParseQuery(strings.TrimPrefix(f.stripe.heard()[0], "POST /v1/checkout/sessions "))
	must(t, err)
	want := url.Values{
		"mode":                                           {"payment"},
		"client_reference_id":                            {"7301444403200777"},
		"payment_method_types[0]":                        {"card"},
		"adaptive_pricing[enabled]":                      {"false"},
		"metadata[seckill_payment]":                      {"7301444403200777"},
		"metadata[seckill_order]":                        {"7301444403200011"},
		"payment_intent_data[metadata][seckill_payment]": {"7301444403200777"},
		"payment_intent_data[metadata][seckill_order]":   {"7301444403200011"},
		"success_url":                                    {"https://shop.example/orders/7301444403200011?paid"},
		"cancel_url":                                     {"https://shop.example/orders/7301444403200011"},
		"line_items[0][quantity]":                        {"1"},
		"line_items[0][price_data][currency]":            {"eur"},
		"line_items[0][price_data][unit_amount]":         {"1290"},
		"line_items[0][price_data][product_data][name]":  {"Enamel mug"},
		"expires_at":                                     {strconv.FormatInt(payment.ExpiresAt.Add(35*time.Minute).Unix(), 10)},
	}
	if diff := cmp.Diff(want, sent); diff != "" {
		t.Error(diff)
	}
	if _, isKnown := f.stripe.saved["7301444403200777"]; !isKnown || len(f.stripe.saved) != 1 {
		t.Errorf("the keys are %v", f.stripe.saved)
	}
}

func opensUntil(t *testing.T) {
	t.Parallel()
	for _, within := range []time.Duration{time.Second, 15 * time.Minute, 12 * time.Hour, 23*time.Hour - time.Minute, 23 * time.Hour} {
		for _, late := range []time.Duration{0, within / 2, within - time.Millisecond} {
			f := open(t)
			payment := f.payment(within)
			f.clock.Advance(late)
			session, _, err := f.Open(t.Context(), payment, "Mug")
			if err != nil {
				t.Fatalf("due within %v, asked after %v: %v", within, late, err)
			}
			f.clock.Advance(within - late)
			if !f.stripe.pay(session) {
				t.Errorf("due within %v, asked after %v: over before that", within, late)
			}
		}
		if f := open(t); within > f.Lives() {
			t.Errorf("keeps a payment open for %v", f.Lives())
		}
	}
}

func opensSame(t *testing.T) {
	t.Parallel()
	f := open(t)
	payment := f.payment(time.Hour)
	first, _, err := f.Open(t.Context(), payment, "Mug")
	must(t, err)
	f.clock.Advance(50 * time.Minute)
	second, _, err := f.Open(t.Context(), payment, "Mug")
	if err != nil || first != second {
		t.Errorf("opened %s, then %s, %v", first, second, err)
	}
}

// crowd opens sessions of others.
func (f *fixture) crowd(t testing.TB, count int) {
	t.Helper()
	for i := range count {
		other := f.payment(time.Hour)
		other.ID = seckill.ID(i + 1)
		if _, _, err := f.Open(t.Context(), other, "Mug"); err != nil {
			t.Fatal(err)
		}
	}
}

func opensFound(t *testing.T) {
	t.Parallel()
	f := open(t)
	payment := f.payment(time.Hour)
	f.crowd(t, 3)
	session, address, err := f.Open(t.Context(), payment, "Mug")
	must(t, err)
	f.clock.Advance(time.Second)
	f.crowd(t, 250)
	found, again, err := f.Open(t.Context(), payment, "Enamel mug")
	if err != nil || found != session || again != address {
		t.Errorf("opened %s at %s, and found %s at %s, %v", session, address, found, again, err)
	}
}

func TestClose(t *testing.T) {
	t.Parallel()
	t.Run("ends a session whose answer was lost", closesLost)
	t.Run("leaves no way in for an open that comes late", closesBeforeOpen)
	t.Run("waits for a bank that has not decided", closesUndecided)
	t.Run("does not believe in a session that is not there", closesMissing)
	t.Run("returns no money of an order that cost nothing, and a charge all the same", closesFree)
	t.Run("works long after the deadline", closesLate)
}

func closesLost(t *testing.T) {
	t.Parallel()
	f := open(t)
	payment := f.payment(time.Hour)
	session, _, err := f.Open(t.Context(), payment, "Mug")
	must(t, err)
	f.crowd(t, 150)
	charges, err := f.Close(t.Context(), payment)
	if err != nil || len(charges) > 0 || f.stripe.pay(session) {
		t.Errorf("closed with %+v, %v", charges, err)
	}
}

func closesBeforeOpen(t *testing.T) {
	t.Parallel()
	f := open(t)
	payment := f.payment(time.Hour)
	_, err := f.Close(t.Context(), payment)
	must(t, err)
	if session, _, err := f.Open(t.Context(), payment, "Mug"); err == nil {
		t.Errorf("opened %s after the end", session)
	}
	if n := len(f.stripe.sessions); n != 1 {
		t.Errorf("there are %d sessions", n)
	}
}

func closesUndecided(t *testing.T) {
	t.Parallel()
	f := open(t)
	payment := f.payment(time.Hour)
	var err error
	payment.Session, _, err = f.Open(t.Context(), payment, "Mug")
	must(t, err)
	for _, it := range []struct {
		intent  string
		certain bool
	}{{"processing", false}, {"requires_action", false}, {"canceled", true}, {"requires_payment_method", true}} {
		f.stripe.change(payment.Session, func(c *checkout) {
			c.status, c.payment, c.intent, c.intentIs = "complete", "unpaid", "pi_1", it.intent
		})
		charges, err := f.Close(t.Context(), payment)
		if (err == nil) != it.certain || len(charges) > 0 {
			t.Errorf("%s: %+v, %v", it.intent, charges, err)
		}
	}
}

func closesMissing(t *testing.T) {
	t.Parallel()
	f := open(t)
	payment := f.payment(time.Hour)
	payment.Session = "cs_test_of_another_account"
	if _, err := f.Close(t.Context(), payment); err == nil || !strings.Contains(err.Error(), "resource_missing") {
		t.Errorf("got %v", err)
	}
}

func closesFree(t *testing.T) {
	t.Parallel()
	f := open(t)
	payment := f.payment(time.Hour)
	payment.AmountMinor = 0
	var err error
	payment.Session, _, err = f.Open(t.Context(), payment, "Mug")
	must(t, err)
	f.stripe.change(payment.Session, func(c *checkout) { c.status, c.payment = "complete", "no_payment_required" })
	charges, err := f.Close(t.Context(), payment)
	if err != nil || len(charges) != 1 || charges[0].Txn != payment.Session || charges[0].AmountMinor != 0 {
		t.Fatalf("got %+v, %v", charges, err)
	}
	must(t, f.Refund(t.Context(), seckill.Refund{Txn: charges[0].Txn, Currency: "EUR"}))
}

func closesLate(t *testing.T) {
	t.Parallel()
	f := open(t)
	opened, never := f.payment(time.Minute), f.payment(time.Minute)
	never.ID++
	_, _, err := f.Open(t.Context(), opened, "Mug")
	must(t, err)
	f.clock.Advance(30 * 24 * time.Hour)
	for _, payment := range []seckill.Payment{opened, never} {
		if charges, err := f.Close(t.Context(), payment); err != nil || len(charges) > 0 {
			t.Errorf("got %+v, %v", charges, err)
		}
	}
}
