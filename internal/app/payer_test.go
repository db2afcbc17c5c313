package app_test

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/seckill-dev/seckill/api"
	"github.com/seckill-dev/seckill/internal/sandbox"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// payer is a shopper of a victim with an order, who goes on asking while that is dead.
type payer struct {
	*victim
	user  seckill.UserID
	order string
	// comes says that the bank will get money for the order, whatever has become of that.
	comes bool
}

// payerTries bounds one request: a dying process may leave it without an answer.
const payerTries = 5 * time.Second

// ask asks once as the shopper, and returns the status, 0 without an answer.
func (p *payer) ask(method, path, body string, told any) int {
	token, err := p.tokens().Mint(p.user, time.Hour)
	if err != nil {
		return 0
	}
	ctx, cancel := context.WithTimeout(p.t.Context(), payerTries)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, p.config.URL()+path, strings.NewReader(body))
	if err != nil {
		return 0
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Idempotency-Key", "purchase-of-"+string(p.user))
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0
	}
	defer response.Body.Close()
	if response.StatusCode < http.StatusBadRequest && json.NewDecoder(response.Body).Decode(told) != nil {
		return 0
	}
	return response.StatusCode
}

// insist asks until the answer is one of these.
func (p *payer) insist(method, path, body string, told any, wanted ...int) (status int) {
	p.t.Helper()
	p.await(method+" "+path, func() bool {
		status = p.ask(method, path, body, told)
		return slices.Contains(wanted, status)
	})
	return status
}

// newPayer buys one unit and waits for the order.
func (v *victim) newPayer(user seckill.UserID) *payer {
	v.t.Helper()
	p := &payer{victim: v, user: user}
	var reservation api.Reservation
	path := "/v1/items/" + v.sale.Items[0].ID + "/reservations"
	p.insist(http.MethodPost, path, `{"quantity":1}`, &reservation, http.StatusOK, http.StatusAccepted)
	p.order = "/v1/orders/" + reservation.ID
	p.view()
	return p
}

func (p *payer) view() (order api.Order) {
	p.t.Helper()
	p.insist(http.MethodGet, p.order, "", &order, http.StatusOK)
	return order
}

// pay pays in some way, later perhaps, unless the order is over before that.
func (p *payer) pay(how sandbox.Behaviour, delay time.Duration) {
	p.t.Helper()
	var payment api.Payment
	if p.insist(http.MethodPost, p.order+"/payments", "", &payment, http.StatusCreated, http.StatusConflict) == http.StatusConflict {
		return
	}
	status := 0
	p.await("the bank's answer", func() bool {
		status = p.bank().payLater(payment.PayURL, how, delay)
		return status != 0
	})
	p.comes = how == sandbox.BehaveLate && status == http.StatusAccepted
}

func (p *payer) cancel() {
	p.t.Helper()
	var order api.Order
	p.insist(http.MethodPost, p.order+"/cancel", "", &order, http.StatusOK)
}

// final waits for the end of the order.
func (p *payer) final() (order api.Order) {
	p.t.Helper()
	p.await("the end of order "+p.order, func() bool {
		order = p.view()
		return order.Status == api.OrderStatusPaid || order.Status == api.OrderStatusCancelled
	})
	return order
}

// bank is the one inside the victim, or the one that is configured.
func (v *victim) bank() bank {
	return bank{v.t, cmp.Or(v.config.Payments.Sandbox.URL, "http://"+v.config.Payments.Sandbox.Listen)}
}

func (v *victim) await(what string, ok func() bool) {
	v.t.Helper()
	deadline := time.After(patience)
	for !ok() {
		select {
		case <-time.After(20 * time.Millisecond):
		case <-deadline:
			v.t.Fatalf("never happened: %s", what)
		}
	}
}
