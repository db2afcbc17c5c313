package app_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/app"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// TestStripe: the whole system with an account that a stand-in plays; internal/stripe has the tests of what Stripe does.
func TestStripe(t *testing.T) {
	t.Parallel()
	t.Run("opens payments with the configured key, and believes what its secret has signed", func(t *testing.T) {
		t.Parallel()
		asked := make(chan http.Header, 16)
		standIn := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked <- r.Header
			_, _ = io.WriteString(w, `{"id":"cs_1","object":"checkout.session","status":"open","url":"https://checkout.test/cs_1"}`)
		}))
		t.Cleanup(standIn.Close)
		s := newShop(t)
		s.config.Payments = app.PaymentsConfig{Provider: app.ProviderStripe, Stripe: app.StripeConfig{
			Key: goodKey, WebhookSecret: goodSecret, SuccessURL: "https://shop.test/thanks", APIURL: standIn.URL,
		}}
		s.start()
		s.preload(1, 1, -time.Second, time.Hour)
		order := s.order("ann", "ann-buys-one")
		payment := s.begin(order)
		if header := <-asked; payment.URL != "https://checkout.test/cs_1" || header.Get("Authorization") != "Bearer "+goodKey {
			t.Errorf("pays at %s", payment.URL)
		}
		paid := fmt.Sprintf(`{"id":"evt_1","object":"event","type":"checkout.session.completed","data":{"object":{"id":"cs_1",`+
			`"object":"checkout.session","payment_status":"paid","amount_total":100,"currency":"eur","payment_intent":"pi_1",`+
			`"metadata":{"seckill_payment":"%s"}}}}`, payment.ID)
		if status := s.stripeSays(paid, "another secret of theirs"); status != http.StatusUnauthorized {
			t.Errorf("believes anybody: %d", status)
		}
		if status := s.stripeSays(paid, goodSecret); status != http.StatusNoContent {
			t.Errorf("does not believe stripe: %d", status)
		}
		s.becomes(order, seckill.OrderPaid)
		s.addsUp()
	})
}

// stripeSays posts an event to the webhook and returns the status.
func (s *shop) stripeSays(event, secret string) int {
	s.t.Helper()
	now := time.Now().Unix()
	sum := hmac.New(sha256.New, []byte(secret))
	_, _ = fmt.Fprintf(sum, "%d.%s", now, event)
	url := s.system.URL() + "/v1/payments/webhooks/stripe"
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, url, strings.NewReader(event))
	if err != nil {
		s.t.Fatal(err)
	}
	request.Header.Set("Stripe-Signature", fmt.Sprintf("t=%d,v1=%x", now, sum.Sum(nil)))
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	_ = response.Body.Close()
	return response.StatusCode
}
