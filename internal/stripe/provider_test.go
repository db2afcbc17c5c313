package stripe_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/seckill-dev/seckill/internal/contract"
	"github.com/seckill-dev/seckill/internal/handclock"
	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/stripe"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestProvider(t *testing.T) {
	t.Parallel()
	contract.Provider(t, func(t *testing.T) contract.ProviderFixture {
		t.Helper()
		return open(t).contract()
	})
}

// fixture is an account at the stand-in.
type fixture struct {
	*stripe.Provider
	stripe *standIn
	clock  *handclock.Clock
}

func open(t testing.TB) *fixture {
	t.Helper()
	clock := handclock.New()
	there := openStandIn(t, clock)
	return &fixture{provider(t, there, testKey), there, clock}
}

func provider(t testing.TB, there *standIn, key string) *stripe.Provider {
	t.Helper()
	calls := &http.Transport{}
	t.Cleanup(calls.CloseIdleConnections)
	p, err := stripe.New(stripe.Options{
		Key: key, WebhookSecret: testSecret, APIURL: there.URL, HTTP: &http.Client{Transport: calls, Timeout: 10 * time.Second},
		SuccessURL: "https://shop.example/orders/{order}?paid", CancelURL: "https://shop.example/orders/{order}",
	})
	must(t, err)
	return p
}

func (f *fixture) contract() contract.ProviderFixture {
	return contract.ProviderFixture{
		Provider: f,
		Now:      f.clock.Now,
		Pay:      func(_ testing.TB, session string) bool { return f.stripe.pay(session) },
		Notice: func(_ testing.TB, session string) seckill.Notice {
			return sign(f.stripe.event(session, "checkout.session.completed"), f.clock.Now())
		},
		Sign:      sign,
		Elsewhere: []byte(`{"id":"evt_1","object":"event","type":"payout.paid","api_version":"2020-08-27","data":{"object":{"id":"po_1","object":"payout"}}}`),
		Refunds: func(_ testing.TB, txn string) (n int) {
			f.stripe.mu.Lock()
			defer f.stripe.mu.Unlock()
			for _, back := range f.stripe.refunds {
				if back.intent == txn {
					n++
				}
			}
			return n
		},
		Down: func(_ testing.TB, down bool) { f.stripe.down(down) },
	}
}

// sign signs as Stripe says it does.
func sign(body []byte, at time.Time) seckill.Notice {
	sum := hmac.New(sha256.New, []byte(testSecret))
	_, _ = fmt.Fprintf(sum, "%d.%s", at.Unix(), body)
	header := http.Header{}
	header.Set("Stripe-Signature", fmt.Sprintf("t=%d,v1=%s,v0=00", at.Unix(), hex.EncodeToString(sum.Sum(nil))))
	return seckill.Notice{Header: header.Get, Body: body, At: at}
}

// must stops the test on an error.
func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// payment is one that has to be paid within so long.
func (f *fixture) payment(within time.Duration) seckill.Payment {
	now := f.clock.Now()
	return seckill.Payment{
		ID: 7301444403200777, Order: 7301444403200011, Provider: stripe.Name, AmountMinor: 1290, Currency: "EUR",
		CreatedAt: now, ExpiresAt: now.Add(within),
	}
}

func TestNew(t *testing.T) {
	t.Parallel()
	t.Run("refuses what could not work", func(t *testing.T) {
		t.Parallel()
		good := stripe.Options{Key: "k", WebhookSecret: "s", SuccessURL: "https://shop.example", CancelURL: "https://shop.example"}
		if _, err := stripe.New(good); err != nil {
			t.Fatal(err)
		}
		for what, change := range map[string]func(*stripe.Options){
			"no key":     func(o *stripe.Options) { o.Key = "" },
			"no secret":  func(o *stripe.Options) { o.WebhookSecret = "" },
			"no success": func(o *stripe.Options) { o.SuccessURL = "" },
			"no cancel":  func(o *stripe.Options) { o.CancelURL = "shop.example" },
			"no API":     func(o *stripe.Options) { o.APIURL = "stripe" },
		} {
			options := good
			change(&options)
			if _, err := stripe.New(options); err == nil {
				t.Errorf("%s: took it", what)
			}
		}
	})
	t.Run("says nothing of its key when Stripe refuses it", func(t *testing.T) {
		t.Parallel()
		f := open(t)
		const wrong = "sk_test_wrong_and_long_enough"
		p := provider(t, f.stripe, wrong)
		_, _, openErr := p.Open(t.Context(), f.payment(time.Hour), "Mug")
		_, closeErr := p.Close(t.Context(), f.payment(time.Hour))
		refundErr := p.Refund(t.Context(), seckill.Refund{Txn: "pi_1", AmountMinor: 1})
		for _, err := range []error{openErr, closeErr, refundErr} {
			if err == nil || !strings.Contains(err.Error(), "401") || strings.Contains(err.Error(), "mnop") || strings.Contains(err.Error(), wrong) {
				t.Errorf("got %v", err)
			}
		}
	})
}
