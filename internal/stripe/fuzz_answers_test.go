package stripe_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/seckill-dev/seckill/internal/handclock"
	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/stripe"
)

// askedMost is how often a call may ask: lists may go on for ever.
const askedMost = 30

// whoever answers in Stripe's place: once one thing, and then another one, until it has been asked too often.
type whoever struct {
	answers

	asked int
}

func (w *whoever) RoundTrip(request *http.Request) (*http.Response, error) {
	status, body := w.status, w.first
	if w.asked > 0 {
		status, body = http.StatusOK, w.then
	}
	if w.asked++; w.asked > askedMost {
		return nil, errors.New("asked too often")
	}
	return &http.Response{
		StatusCode: status, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Request: request,
		Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
	}, nil
}

// FuzzAnswers: a payment is open where people can go, closed with at most one charge, which has a name, and its money is back
// only if an answer says so. All else is an error that tells nobody the key, and a short one when it is Stripe's own words.
func FuzzAnswers(f *testing.F) {
	const paid = `{"id":"cs_1","object":"checkout.session","status":"complete","payment_status":"paid","payment_intent":{"id":"pi_1"},"amount_total":1290,"currency":"eur"}`
	for _, seed := range []string{
		`{"id":"cs_1","status":"open","url":"https://checkout.example/cs_1"}`, `{"id":"cs_1","status":"open","url":"javascript:alert(1)"}`, `{"id":"cs_1","status":"expired"}`,
		paid, strings.Replace(paid, "pi_1", "", 1), strings.Replace(paid, `{"id":"pi_1"}`, "null", 1), strings.Replace(paid, "cs_1", "cs_2", 1),
		strings.Replace(paid, `"paid"`, `"unpaid"`, 1), `{"id":"re_1","status":"succeeded","amount":1290}`, `null`, `[]`, ``, `<html>`,
	} {
		f.Add(uint16(http.StatusOK), []byte(seed), []byte(paid))
	}
	const list = `{"object":"list","has_more":false,"data":[{"id":"re_1","status":"succeeded","amount":1290,"client_reference_id":"77"}]}`
	f.Add(uint16(http.StatusBadRequest), []byte(`{"error":{"type":"idempotency_error","message":"x"}}`), []byte(list))
	f.Add(uint16(http.StatusBadRequest), []byte(`{"error":{"type":"idempotency_error"}}`), []byte(`{"has_more":true,"data":[null]}`))
	f.Add(uint16(http.StatusBadRequest), []byte(`{"error":{"type":"idempotency_error"}}`), []byte(`{"has_more":true,"data":[]}`))
	f.Add(uint16(http.StatusBadRequest), []byte(`{"error":{"type":"invalid_request_error","code":"charge_already_refunded"}}`), []byte(list))
	f.Add(uint16(http.StatusBadRequest), []byte(`{"error":{"type":"invalid_request_error","message":"`+strings.Repeat("é", 3000)+`"}}`), []byte(list))
	f.Add(uint16(http.StatusUnauthorized), []byte(`{"error":{"message":"Invalid API Key: `+testKey+`"}}`), []byte(list))
	f.Add(uint16(http.StatusBadGateway), []byte(strings.Repeat("天", 300)), []byte(list))
	at := handclock.New().Now()
	f.Fuzz(func(t *testing.T, status uint16, first, then []byte) {
		if status < http.StatusOK || status > 999 {
			t.Skip("net/http does not hand it on")
		}
		a := answers{status: int(status), first: first, then: then}
		payment := seckill.Payment{ID: 77, Order: 8, AmountMinor: 1290, Currency: "EUR", CreatedAt: at, ExpiresAt: at.Add(time.Hour)}
		a.expectOpened(t, payment)
		for _, payment.Session = range []string{"", "cs_1"} {
			a.expectClosed(t, payment)
		}
		err := a.ask(t).Refund(t.Context(), seckill.Refund{Txn: "pi_1", Order: 8, AmountMinor: 1290, Currency: "EUR"})
		if err != nil {
			a.expectTold(t, err)
		} else if !isSaid(first, "succeeded") && !isSaid(then, "succeeded") {
			t.Fatalf("%d %q %q gives the money back", status, first, then)
		}
	})
}

// answers are what Stripe says to the first question, and to all others.
type answers struct {
	status      int
	first, then []byte
}

func (a answers) ask(t *testing.T) *stripe.Provider {
	t.Helper()
	p, err := stripe.New(stripe.Options{
		Key: testKey, WebhookSecret: testSecret, SuccessURL: "https://shop.example", CancelURL: "https://shop.example",
		HTTP: &http.Client{Transport: &whoever{answers: a}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (a answers) expectOpened(t *testing.T, payment seckill.Payment) {
	t.Helper()
	session, place, err := a.ask(t).Open(t.Context(), payment, "Mug")
	if err != nil {
		a.expectTold(t, err)
		return
	}
	if led, err := url.Parse(place); !isKept(session) || err != nil || led.Host == "" || !strings.HasPrefix(led.Scheme, "http") {
		t.Fatalf("%+v opens %q at %q", a, session, place)
	}
}

func (a answers) expectClosed(t *testing.T, payment seckill.Payment) {
	t.Helper()
	charges, err := a.ask(t).Close(t.Context(), payment)
	if err != nil {
		a.expectTold(t, err)
	}
	if len(charges) > 1 || len(charges) > 0 && err != nil {
		t.Fatalf("%d %q %q closes %q with %+v, %v", a.status, a.first, a.then, payment.Session, charges, err)
	}
	for _, charge := range charges {
		if !isKept(charge.Txn) || charge.Payment != payment.ID || charge.Order != payment.Order || charge.Provider != stripe.Name {
			t.Fatalf("%d %q %q closes %q with %+v", a.status, a.first, a.then, payment.Session, charge)
		}
	}
}

func (a answers) expectTold(t *testing.T, err error) {
	t.Helper()
	isTheirs := a.status >= http.StatusBadRequest && len(a.then) < 100
	if text := err.Error(); strings.Contains(text, testKey) || !utf8.ValidString(text) || isTheirs && len(text) > 1000 {
		t.Fatalf("%d %q becomes %q", a.status, a.first, text)
	}
}

// isKept says that an id fits where it is stored.
func isKept(id string) bool { return id != "" && len(id) <= 190 && utf8.ValidString(id) }

// isSaid looks for a word that may be escaped.
func isSaid(body []byte, word string) bool {
	return bytes.Contains(body, []byte(word)) || bytes.Contains(body, []byte(`\u`))
}

// A page may have the key where it is cut.
func TestNoPartOfTheKeyIsTold(t *testing.T) {
	t.Parallel()
	for at := range 600 {
		page := []byte(strings.Repeat(".", at) + testKey + strings.Repeat(".", 600))
		for _, status := range []int{http.StatusBadGateway, http.StatusBadRequest} {
			err := answers{status: status, first: page, then: page}.ask(t).Refund(t.Context(), seckill.Refund{Txn: "pi_1", Order: 8, AmountMinor: 1, Currency: "EUR"})
			if err == nil || strings.Contains(err.Error(), testKey[:4]) || len(err.Error()) > 600 {
				t.Fatalf("the key at %d: %v", at, err)
			}
		}
	}
}
