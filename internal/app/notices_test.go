package app_test

import (
	"bytes"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/sandbox"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// believesNoForgery posts what anybody could, and what somebody has kept for later.
func believesNoForgery(t *testing.T) {
	t.Parallel()
	s := openTill(t, 1, time.Hour)
	order := s.order("ann", "ann-buys-one")
	charge := seckill.Charge{Txn: "ch_1", Payment: s.begin(order).ID, AmountMinor: 100, Currency: "EUR"}
	const stale = 6 * time.Minute
	for what, notice := range map[string]seckill.Notice{
		"with another secret":     s.notice(charge, time.Now(), "another secret of theirs"),
		"that is old":             s.notice(charge, time.Now().Add(-stale), goodSecret),
		"of the future":           s.notice(charge, time.Now().Add(stale), goodSecret),
		"without a signature":     {Body: s.notice(charge, time.Now(), goodSecret).Body, Header: func(string) string { return "" }},
		"with another's body":     {Body: []byte("{}"), Header: s.notice(charge, time.Now(), goodSecret).Header},
		"with a broken signature": {Body: []byte("{}"), Header: func(string) string { return "t=1,v1=zz" }},
	} {
		if status := s.post(notice); status != http.StatusUnauthorized {
			t.Errorf("a notice %s: status %d", what, status)
		}
	}
	charges, err := s.system.Backend.Payments.ChargesOf(t.Context(), order.ID)
	if found, _ := s.system.Backend.Orders.Find(t.Context(), order.ID); err != nil || len(charges) > 0 || found.State != seckill.OrderUnpaid {
		t.Errorf("the order is %s with %v, %v", found.State, charges, err)
	}
	for range 2 {
		if status := s.post(s.notice(charge, time.Now(), goodSecret)); status != http.StatusNoContent {
			t.Errorf("what the bank says: status %d", status)
		}
	}
	s.becomes(order, seckill.OrderPaid)
	s.addsUp()
}

func (s *shop) notice(charge seckill.Charge, at time.Time, secret string) seckill.Notice {
	s.t.Helper()
	notice, err := noticeOf(charge, at, secret)
	if err != nil {
		s.t.Fatal(err)
	}
	return notice
}

// post sends a notice to the webhook, and returns the status. A busy shop is asked again, as banks do.
func (s *shop) post(notice seckill.Notice) (status int) {
	s.t.Helper()
	s.await("an answer to a notice", func() bool {
		url := fmt.Sprintf("%s/v1/payments/webhooks/%s", s.system.URL(), sandbox.Name)
		request, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, url, bytes.NewReader(notice.Body))
		if err != nil {
			s.t.Fatal(err)
		}
		request.Header.Set(sandbox.SignatureHeader, notice.Header(sandbox.SignatureHeader))
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			s.t.Fatal(err)
		}
		_ = response.Body.Close()
		status = response.StatusCode
		return status != http.StatusServiceUnavailable
	})
	return status
}

// paysAfterAnOutage has the bank away while one wants to pay and another one cancels what he may have paid.
func paysAfterAnOutage(t *testing.T) {
	t.Parallel()
	s := openTill(t, 2, time.Hour)
	begun, waiting := s.order("ann", "ann-buys-one"), s.order("bob", "bob-buys-one")
	cancelled := s.begin(begun)
	s.bank().beAway(60)
	_, err := s.system.Checkout.Pay(t.Context(), "bob", waiting.ID, 0)
	wantReason(t, err, seckill.Busy)
	s.cancel(begun)
	s.await("somebody is told that a unit is held", func() bool { return s.metric("seckill_payments_unclosed") == 1 })
	s.bank().beAway(0)
	payment := s.begin(waiting)
	if status := s.bank().pay(payment.URL, sandbox.BehavePay); status != http.StatusCreated {
		t.Errorf("the bank says %d", status)
	}
	s.bank().pay(cancelled.URL, sandbox.BehaveLate)
	s.becomes(waiting, seckill.OrderPaid)
	if reason := s.refund(begun); reason != seckill.RefundCancelled {
		t.Errorf("went back because of %v", reason)
	}
	s.await("the unit is back", func() bool { return s.stock().Claimed == 1 && s.owes() == 0 })
	s.bank().wantKept(map[string]int64{payment.ID.String(): 100})
	s.addsUp()
}
