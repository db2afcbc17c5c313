package stripe_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/handclock"
)

const (
	testKey    = "sk_test_0123456789abcdefghijklmnop"
	testSecret = "whsec_of_the_tests"
)

// standIn is as much of Stripe's API as we use, with its habits: keys that remember for a day, answers that are saved, those
// of failures too, lists in pages, sessions that cannot end within 30 minutes nor live longer than a day, amounts that are
// too small.
type standIn struct {
	*httptest.Server
	clock *handclock.Clock

	mu       sync.Mutex
	sessions []*checkout
	refunds  []*refund
	saved    map[string]saved
	requests []string
	// refundsAre is what becomes of new refunds.
	refundsAre string
	isDown     bool
	// stumbles is how many of the next requests fail while they are being served.
	stumbles int
	// says, when it is set, is answered to everybody.
	says func(w http.ResponseWriter, r *http.Request)
}

type checkout struct {
	id, status, payment string
	intent, intentIs    string
	created, expires    time.Time
	form                url.Values
}

type refund struct {
	id, intent, status string
	amount             int64
}

// saved is the first answer under an idempotency key.
type saved struct {
	request string
	at      time.Time
	status  int
	body    []byte
}

type object = map[string]any

func openStandIn(t testing.TB, clock *handclock.Clock) *standIn {
	t.Helper()
	s := &standIn{clock: clock, saved: map[string]saved{}, refundsAre: "succeeded"}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/checkout/sessions", s.serve(s.create))
	mux.HandleFunc("GET /v1/checkout/sessions", s.serve(s.list))
	mux.HandleFunc("GET /v1/checkout/sessions/{id}", s.serve(s.retrieve))
	mux.HandleFunc("POST /v1/checkout/sessions/{id}/expire", s.serve(s.expire))
	mux.HandleFunc("POST /v1/refunds", s.serve(s.refund))
	mux.HandleFunc("GET /v1/refunds", s.serve(s.listRefunds))
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// serve is what all requests go through.
func (s *standIn) serve(answer func(r *http.Request) (int, object)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		_ = r.ParseForm()
		s.requests = append(s.requests, r.Method+" "+r.URL.Path+" "+r.Form.Encode())
		w.Header().Set("Request-Id", "req_"+strconv.Itoa(len(s.requests)))
		if s.says != nil {
			s.says(w, r)
			return
		}
		status, body := s.answer(w, r, answer)
		w.WriteHeader(status)
		_, _ = w.Write(body)
	}
}

func (s *standIn) answer(w http.ResponseWriter, r *http.Request, answer func(r *http.Request) (int, object)) (int, []byte) {
	if s.isDown {
		return http.StatusServiceUnavailable, []byte("<html>Bad weather</html>")
	}
	if r.Header.Get("Authorization") != "Bearer "+testKey {
		return encode(problem(http.StatusUnauthorized, "invalid_request_error", "", "Invalid API Key provided: sk_test_********mnop"))
	}
	key, request := r.Header.Get("Idempotency-Key"), r.URL.Path+"?"+r.PostForm.Encode()
	first, isKnown := s.saved[key]
	if isKnown && s.clock.Now().Sub(first.at) >= 24*time.Hour {
		isKnown = false
	}
	switch {
	case r.Method != http.MethodPost || key == "":
		return encode(answer(r))
	case isKnown && first.request != request:
		return encode(problem(http.StatusBadRequest, "idempotency_error", "", "Keys for idempotent requests can only be used with the same parameters"))
	case isKnown:
		w.Header().Set("Idempotent-Replayed", "true")
		return first.status, first.body
	}
	status, body := encode(s.stumble(r, answer))
	if !strings.Contains(string(body), "parameter_") { // what fails validation is not saved
		s.saved[key] = saved{request, s.clock.Now(), status, body}
	}
	return status, body
}

// stumble serves a request, unless something goes wrong in the middle of it.
func (s *standIn) stumble(r *http.Request, answer func(r *http.Request) (int, object)) (int, object) {
	if s.stumbles > 0 {
		s.stumbles--
		return problem(http.StatusInternalServerError, "api_error", "", "Sorry!")
	}
	return answer(r)
}

func encode(status int, body object) (int, []byte) {
	text, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	return status, text
}

func problem(status int, kind, code, message string) (int, object) {
	return status, object{"error": object{"type": kind, "code": code, "message": message}}
}

func (s *standIn) create(r *http.Request) (int, object) {
	end := s.clock.Now().Add(24 * time.Hour)
	if text := r.Form.Get("expires_at"); text != "" {
		seconds, _ := strconv.ParseInt(text, 10, 64)
		end = time.Unix(seconds, 0)
		if left := end.Sub(s.clock.Now()); left < 30*time.Minute || left > 24*time.Hour {
			return problem(http.StatusBadRequest, "invalid_request_error", "parameter_invalid", "The `expires_at` timestamp must be between 30 minutes and 24 hours from Checkout Session creation.")
		}
	}
	if amount, _ := strconv.ParseInt(r.Form.Get("line_items[0][price_data][unit_amount]"), 10, 64); amount > 0 && amount < 50 {
		return problem(http.StatusBadRequest, "invalid_request_error", "amount_too_small", "The Checkout Session's total amount must convert to at least 50 cents.")
	}
	made := &checkout{
		id: fmt.Sprintf("cs_test_%d", len(s.sessions)+1), status: "open", payment: "unpaid", created: s.clock.Now(), expires: end, form: r.PostForm,
	}
	s.sessions = append(s.sessions, made)
	return http.StatusOK, s.view(made, false)
}

// view is a session as the API tells it.
func (s *standIn) view(c *checkout, expanded bool) object {
	amount, _ := strconv.ParseInt(c.form.Get("line_items[0][price_data][unit_amount]"), 10, 64)
	shown := object{
		"id": c.id, "object": "checkout.session", "status": c.status, "payment_status": c.payment,
		"url": nil, "payment_intent": nil, "amount_total": amount, "currency": c.form.Get("line_items[0][price_data][currency]"),
		"client_reference_id": c.form.Get("client_reference_id"), "created": c.created.Unix(), "expires_at": c.expires.Unix(),
		"metadata": object{"seckill_payment": c.form.Get("metadata[seckill_payment]"), "seckill_order": c.form.Get("metadata[seckill_order]")},
	}
	if c.status == "open" {
		shown["url"] = s.URL + "/c/pay/" + c.id
	}
	switch {
	case c.intent == "":
	case expanded:
		shown["payment_intent"] = object{"id": c.intent, "object": "payment_intent", "status": c.intentIs}
	default:
		shown["payment_intent"] = c.intent
	}
	return shown
}

func (s *standIn) session(id string) *checkout {
	for _, c := range s.sessions {
		if c.id == id {
			if c.status == "open" && !s.clock.Now().Before(c.expires) {
				c.status = "expired"
			}
			return c
		}
	}
	return nil
}

func noSuch(what, id string) (int, object) {
	return problem(http.StatusNotFound, "invalid_request_error", "resource_missing", "No such "+what+": '"+id+"'")
}

func (s *standIn) retrieve(r *http.Request) (int, object) {
	c := s.session(r.PathValue("id"))
	if c == nil {
		return noSuch("checkout session", r.PathValue("id"))
	}
	return http.StatusOK, s.view(c, r.Form.Get("expand[0]") == "payment_intent")
}

func (s *standIn) expire(r *http.Request) (int, object) {
	c := s.session(r.PathValue("id"))
	if c == nil {
		return noSuch("checkout session", r.PathValue("id"))
	}
	if c.status != "open" {
		return problem(http.StatusBadRequest, "invalid_request_error", "",
			"Only Checkout Sessions with a status in [\"open\"] can be expired. This Checkout Session has a status of `"+c.status+"`.")
	}
	c.status = "expired"
	return http.StatusOK, s.view(c, false)
}

// list answers a page, the newest first.
func (s *standIn) list(r *http.Request) (int, object) {
	from, _ := strconv.ParseInt(r.Form.Get("created[gte]"), 10, 64)
	to, _ := strconv.ParseInt(r.Form.Get("created[lte]"), 10, 64)
	limit, _ := strconv.Atoi(r.Form.Get("limit"))
	found := []object{}
	isBehind := r.Form.Get("starting_after") == ""
	for _, c := range slices.Backward(s.sessions) {
		if made := c.created.Unix(); isBehind && from <= made && made <= to {
			found = append(found, s.view(s.session(c.id), false))
		}
		isBehind = isBehind || c.id == r.Form.Get("starting_after")
	}
	page := found[:min(limit, len(found))]
	return http.StatusOK, object{"object": "list", "data": page, "has_more": len(page) < len(found)}
}

func (s *standIn) refund(r *http.Request) (int, object) {
	intent := r.Form.Get("payment_intent")
	left := int64(0)
	for _, c := range s.sessions {
		if c.intent == intent && c.payment == "paid" {
			left, _ = strconv.ParseInt(c.form.Get("line_items[0][price_data][unit_amount]"), 10, 64)
		}
	}
	if left == 0 {
		return noSuch("payment_intent", intent)
	}
	for _, back := range s.refunds {
		if back.intent == intent && back.status != "failed" {
			left -= back.amount
		}
	}
	if left == 0 {
		return problem(http.StatusBadRequest, "invalid_request_error", "charge_already_refunded", "Charge ch_1 has already been refunded.")
	}
	back := &refund{fmt.Sprintf("re_%d", len(s.refunds)+1), intent, s.refundsAre, left}
	s.refunds = append(s.refunds, back)
	return http.StatusOK, back.view()
}

func (b *refund) view() object {
	return object{"id": b.id, "object": "refund", "amount": b.amount, "payment_intent": b.intent, "status": b.status}
}

func (s *standIn) listRefunds(r *http.Request) (int, object) {
	found := []object{}
	for _, back := range s.refunds {
		if back.intent == r.Form.Get("payment_intent") {
			found = append(found, back.view())
		}
	}
	return http.StatusOK, object{"object": "list", "data": found, "has_more": false}
}

// pay is what a shopper does on the session's page.
func (s *standIn) pay(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.session(id)
	if c == nil || c.status != "open" {
		return false
	}
	c.status, c.payment, c.intentIs = "complete", "paid", "succeeded"
	c.intent = "pi_of_" + c.id
	return true
}

// change changes a session behind everybody's back.
func (s *standIn) change(id string, change func(c *checkout)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s.session(id))
}

// event is what the webhook is told of a session.
func (s *standIn) event(id, kind string) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, body := encode(http.StatusOK, object{
		"id": "evt_of_" + id, "object": "event", "type": kind, "api_version": "2020-08-27", "data": object{"object": s.view(s.session(id), false)},
	})
	return body
}

func (s *standIn) down(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.isDown = down
}

// heard are the requests so far.
func (s *standIn) heard() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}
