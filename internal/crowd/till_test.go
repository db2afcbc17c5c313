package crowd_test

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/seckill-dev/seckill/api"
)

// line is one of the provider's ledger.
type line struct {
	N           int64  `json:"n"`
	Kind        string `json:"kind"`
	Reference   string `json:"reference"`
	Txn         string `json:"txn"`
	AmountMinor int64  `json:"amount_minor"`
	Currency    string `json:"currency"`
}

// tillFaults are how what comes after the click is spoiled. Each may be nil; they are called with mu held.
type tillFaults struct {
	// shut is how many questions for the ledger are not answered.
	shut   int
	order  func(s *shop, b *booked)      // changes an order before it is read
	cancel func(s *shop, b *booked) bool // refuses a cancel
	begin  func(s *shop, b *booked) bool // refuses a payment
	line   func(s *shop, l line) []line  // changes what the provider writes
	away   func(s *shop) bool            // keeps the provider from answering
	still  bool                          // keeps the version of an order that changes
	asleep bool                          // lets deadlines pass
}

func (s *shop) handleMoney(mux *http.ServeMux) {
	mux.HandleFunc("GET /v1/orders/{id}", s.locked(s.readOrder))
	mux.HandleFunc("POST /v1/orders/{id}/cancel", s.locked(s.cancel))
	mux.HandleFunc("POST /v1/orders/{id}/payments", s.locked(s.begin))
	mux.HandleFunc("POST /pay/{id}", s.pay)
	mux.HandleFunc("GET /v1/ledger", s.readLedger)
}

// locked serves the caller's order.
func (s *shop) locked(serve func(w http.ResponseWriter, r *http.Request, b *booked)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.expire()
		b := s.booked[r.PathValue("id")]
		if b == nil || b.user != userOf(r) {
			refuse(w, &api.Problem{Reason: api.ReasonNotFound})
			return
		}
		serve(w, r, b)
	}
}

// expire cancels what was not paid in time.
func (s *shop) expire() {
	for _, b := range s.booked {
		if b.status == api.OrderStatusUnpaid && !s.till.asleep && time.Now().After(b.payBy) {
			s.giveBack(b)
		}
	}
}

func (s *shop) giveBack(b *booked) {
	b.status = api.OrderStatusCancelled
	s.left += b.quantity
}

func (s *shop) paidUnits() int64 {
	var sum int64
	for _, b := range s.booked {
		if b.status == api.OrderStatusPaid {
			sum += b.quantity
		}
	}
	return sum
}

func (s *shop) order(b *booked) api.Order {
	if s.till.order != nil {
		s.till.order(s, b)
	}
	order := orderOf(b.id, b.quantity)
	order.Status, order.PayBy, order.Version = b.status, b.payBy, 1
	if b.status != api.OrderStatusUnpaid && !s.till.still {
		order.Version = 2
	}
	return order
}

func (s *shop) readOrder(w http.ResponseWriter, _ *http.Request, b *booked) {
	write(w, http.StatusOK, s.order(b))
}

func (s *shop) cancel(w http.ResponseWriter, _ *http.Request, b *booked) {
	if s.till.cancel != nil && s.till.cancel(s, b) || b.status == api.OrderStatusPaid {
		refuse(w, &api.Problem{Reason: api.ReasonConflict})
		return
	}
	if b.status == api.OrderStatusUnpaid {
		s.giveBack(b)
	}
	write(w, http.StatusOK, s.order(b))
}

func (s *shop) begin(w http.ResponseWriter, r *http.Request, b *booked) {
	if s.till.begin != nil && s.till.begin(s, b) || b.status != api.OrderStatusUnpaid {
		refuse(w, &api.Problem{Reason: api.ReasonConflict})
		return
	}
	id := "9" + b.id
	s.payments[id] = b
	write(w, http.StatusCreated, api.Payment{ID: id, OrderID: b.id, PayURL: "http://" + r.Host + "/pay/" + id})
}

func (s *shop) pay(w http.ResponseWriter, r *http.Request) {
	var asked struct{ Behave string }
	_ = json.NewDecoder(r.Body).Decode(&asked)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire()
	s.requests++
	id := r.PathValue("id")
	b := s.payments[id]
	open := b != nil && b.status == api.OrderStatusUnpaid
	switch {
	case s.till.away != nil && s.till.away(s):
		w.WriteHeader(http.StatusServiceUnavailable)
	case open:
		b.status = api.OrderStatusPaid
		s.charge(id)
		if asked.Behave == "twice" {
			s.refund(id, s.charge(id))
		}
	case b != nil && asked.Behave == "late":
		s.refund(id, s.charge(id))
	default:
		w.WriteHeader(http.StatusConflict)
	}
}

func (s *shop) charge(payment string) (txn string) {
	txn = "ch_" + strconv.Itoa(len(s.ledger))
	s.note(line{Kind: "charged", Reference: payment, Txn: txn, AmountMinor: 100 * s.payments[payment].quantity, Currency: "EUR"})
	return txn
}

func (s *shop) refund(payment, txn string) {
	s.note(line{Kind: "refunded", Reference: payment, Txn: txn, AmountMinor: 100 * s.payments[payment].quantity, Currency: "EUR"})
}

func (s *shop) note(l line) {
	lines := []line{l}
	if s.till.line != nil {
		lines = s.till.line(s, l)
	}
	for _, l := range lines {
		l.N = int64(len(s.ledger)) + 1
		s.ledger = append(s.ledger, l)
	}
}

func (s *shop) readLedger(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Header.Get("Authorization") != "Bearer ledger-key" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if s.till.shut > 0 {
		s.till.shut--
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	after, _ := strconv.Atoi(r.URL.Query().Get("after"))
	for _, l := range s.ledger[min(after, len(s.ledger)):min(after+10, len(s.ledger))] {
		_ = json.NewEncoder(w).Encode(l)
	}
}
