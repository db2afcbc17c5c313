package sandbox_test

import (
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/sandbox"
	"github.com/seckill-dev/seckill/internal/seckill"
)

const bearer = "Bearer " + testKey

// api sends a request with the key and an idempotency key.
func (f *fixture) api(t testing.TB, method, path, key, body string) (status int, answer string) {
	t.Helper()
	return f.call(t, method, path, body, "Authorization", bearer, "Idempotency-Key", key)
}

func TestAPI(t *testing.T) {
	t.Parallel()
	t.Run("lets nobody in without the key", apiWantsKey)
	t.Run("refuses what it does not understand", apiRefuses)
	t.Run("answers by the name it gave, as by the one it was given", apiKnowsNames)
	t.Run("refuses another payment under the same name", apiRefusesDoubledNames)
	t.Run("gives back no other amount, and nothing twice", apiRefundsAll)
}

func apiWantsKey(t *testing.T) {
	t.Parallel()
	f := open(t)
	payment := f.payment(t, 7)
	for _, path := range []string{
		"POST /v1/sessions", "GET /v1/sessions/" + payment.Session, "POST /v1/sessions/" + payment.Session + "/expire",
		"POST /v1/references/7/expire", "POST /v1/refunds", "GET /v1/ledger", "POST /v1/outage",
	} {
		method, path, _ := strings.Cut(path, " ")
		for _, header := range [][]string{nil, {"Authorization", "Bearer "}, {"Authorization", "Bearer wrong"}, {"Authorization", "Basic " + testKey}} {
			if status, answer := f.call(t, method, path, "{}", header...); status != http.StatusUnauthorized {
				t.Errorf("%s %s with %v answers %d: %s", method, path, header, status, answer)
			}
		}
	}
	f.wantPay(t, http201, payment.Session, `{}`) // nothing was done
}

func apiRefuses(t *testing.T) {
	t.Parallel()
	f := open(t)
	const good = `{"amount_minor":1,"currency":"EUR","title":"Mug","expires_at":"2026-03-20T11:00:00Z"}`
	for _, it := range []struct {
		path, key, body string
		want            int
	}{
		{"/v1/sessions", "7", good, http.StatusCreated},
		{"/v1/sessions", "", good, http.StatusBadRequest},
		{"/v1/sessions", strings.Repeat("7", 129), good, http.StatusBadRequest},
		{"/v1/sessions", "8", strings.Replace(good, "1,", "-1,", 1), http.StatusBadRequest},
		{"/v1/sessions", "8", strings.Replace(good, "1,", "1.5,", 1), http.StatusBadRequest},
		{"/v1/sessions", "8", strings.Replace(good, "EUR", "eur", 1), http.StatusBadRequest},
		{"/v1/sessions", "8", strings.Replace(good, "EUR", "EURO", 1), http.StatusBadRequest},
		{"/v1/sessions", "8", strings.Replace(good, "Mug", strings.Repeat("ü", 501), 1), http.StatusBadRequest},
		{"/v1/sessions", "8", strings.Replace(good, "expires_at", "expires", 1), http.StatusBadRequest},
		{"/v1/sessions", "8", good[:20], http.StatusBadRequest},
		{"/v1/sessions", "8", good + strings.Repeat(" ", 17<<10), http.StatusRequestEntityTooLarge},
		{"/v1/sessions/cs_none/expire", "", "{}", http.StatusNotFound},
		{"/v1/references/" + strings.Repeat("7", 129) + "/expire", "", "{}", http.StatusBadRequest},
		{"/v1/refunds", "", `{"charge":"ch_none"}`, http.StatusBadRequest},
		{"/v1/refunds", "8", `{"charge":"ch_none"}`, http.StatusNotFound},
		{"/v1/refunds", "8", `{`, http.StatusBadRequest},
		{"/v1/outage", "", `{"seconds":-1}`, http.StatusBadRequest},
		{"/v1/outage", "", `{"seconds":100000}`, http.StatusBadRequest},
		{"/v1/outage", "", `[]`, http.StatusBadRequest},
		{"/v1/none", "", `{}`, http.StatusNotFound},
	} {
		if status, answer := f.api(t, http.MethodPost, it.path, it.key, it.body); status != it.want {
			t.Errorf("%.40s %.60s answers %d, not %d: %s", it.path, it.body, status, it.want, answer)
		}
	}
	for _, path := range []string{"/v1/ledger?after=-1", "/v1/ledger?limit=all", "/v1/sessions/"} {
		if status, _ := f.api(t, http.MethodGet, path, "", ""); status < http.StatusBadRequest {
			t.Errorf("%s answers %d", path, status)
		}
	}
	if entries := f.entries(t); len(entries) != 1 {
		t.Errorf("what was refused is in the ledger: %+v", entries)
	}
}

func apiKnowsNames(t *testing.T) {
	t.Parallel()
	f := open(t)
	payment := f.payment(t, 7)
	path := "/v1/sessions/" + payment.Session
	for _, it := range []struct{ method, path, want string }{
		{http.MethodGet, path, `"state":"open"`},
		{http.MethodPost, path + "/expire", `"state":"closed"`},
		{http.MethodPost, path + "/expire", `"state":"closed"`},
		{http.MethodGet, path, `"state":"closed"`},
		{http.MethodPost, "/v1/references/7/expire", `"id":"` + payment.Session + `"`},
	} {
		if status, answer := f.api(t, it.method, it.path, "", "{}"); status != http.StatusOK || !strings.Contains(answer, it.want) {
			t.Errorf("%s %s answers %d: %s", it.method, it.path, status, answer)
		}
	}
	other := f.payment(t, 8)
	f.clock.Advance(time.Hour)
	if _, answer := f.api(t, http.MethodGet, "/v1/sessions/"+other.Session, "", ""); !strings.Contains(answer, `"state":"expired"`) {
		t.Error(answer)
	}
}

func apiRefusesDoubledNames(t *testing.T) {
	t.Parallel()
	f := open(t)
	payment := f.payment(t, 7)
	for _, change := range []func(*seckill.Payment){
		func(p *seckill.Payment) { p.AmountMinor++ },
		func(p *seckill.Payment) { p.Currency = "USD" },
	} {
		other := payment
		change(&other)
		if _, _, err := f.Open(t.Context(), other, "Mug"); err == nil || !strings.Contains(err.Error(), "409") {
			t.Errorf("opened %+v: %v", other, err)
		}
	}
	body := `{"reference":"7","amount_minor":1290,"currency":"EUR","expires_at":"2026-03-20T11:00:00Z"}`
	if status, answer := f.api(t, http.MethodPost, "/v1/sessions", "another key", body); status != http.StatusConflict {
		t.Errorf("answers %d: %s", status, answer)
	}
}

func apiRefundsAll(t *testing.T) {
	t.Parallel()
	f := open(t)
	payment := f.payment(t, 7)
	f.wantPay(t, http201, payment.Session, `{}`)
	txn := f.close(t, payment)[0].Txn
	for _, it := range []struct {
		key, amount string
		want        int
	}{{"a", "1289", http.StatusUnprocessableEntity}, {"a", "1290", http.StatusOK}, {"a", "1290", http.StatusOK}, {"b", "1290", http.StatusConflict}} {
		body := `{"charge":"` + txn + `","amount_minor":` + it.amount + `,"currency":"EUR"}`
		if status, answer := f.api(t, http.MethodPost, "/v1/refunds", it.key, body); status != it.want {
			t.Errorf("%+v answers %d: %s", it, status, answer)
		}
	}
	// What somebody has given back by hand has been given back.
	must(t, f.Refund(t.Context(), seckill.Refund{Txn: txn, AmountMinor: 1290, Currency: "EUR"}))
	if n := f.count(t, sandbox.KindRefunded); n != 1 {
		t.Errorf("refunded %d times", n)
	}
}

func TestOutage(t *testing.T) {
	t.Parallel()
	t.Run("answers nobody and sends nothing, and goes on when it is over", func(t *testing.T) {
		t.Parallel()
		f := open(t)
		payment := f.payment(t, 7)
		f.wantPay(t, http202, payment.Session, `{"behave":"late","delay":1}`)
		if status, answer := f.api(t, http.MethodPost, "/v1/outage", "", `{"seconds":60}`); status != http.StatusNoContent {
			t.Fatalf("answers %d: %s", status, answer)
		}
		for _, path := range []string{"/v1/ledger", "/pay/" + payment.Session, "/v1/none"} {
			if status, answer := f.api(t, http.MethodGet, path, "", ""); status != http.StatusServiceUnavailable {
				t.Errorf("%s answers %d: %s", path, status, answer)
			}
		}
		if status, _ := f.call(t, http.MethodGet, "/livez", ""); status != http.StatusNoContent {
			t.Errorf("its process is not seen to live: %d", status)
		}
		f.await(t, 30*time.Second)
		f.await(t, 29*time.Second)
		if n := len(f.shop.told()); n != 0 {
			t.Errorf("told %d things while it was away", n)
		}
		f.await(t, time.Second)
		eventually(t, "the payment is told", func() bool { return len(f.shop.told()) == 1 })
		if amounts, _ := f.taken(t, payment); len(amounts) != 1 {
			t.Errorf("took %v", amounts)
		}
	})
}

func TestServe(t *testing.T) {
	t.Parallel()
	t.Run("answers until its context ends, and leaves the ledger to others", func(t *testing.T) {
		t.Parallel()
		options := serverOptions(t)
		server, err := sandbox.NewServer(options)
		must(t, err)
		listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
		must(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		served := make(chan error, 1)
		go func() { served <- server.Serve(ctx, listener) }()
		f := &fixture{url: "http://" + listener.Addr().String()}
		if status, _ := f.call(t, http.MethodGet, "/livez", ""); status != http.StatusNoContent {
			t.Errorf("answers %d", status)
		}
		cancel()
		must(t, <-served)
		second, err := sandbox.NewServer(options)
		must(t, err)
		must(t, second.Close())
	})
	t.Run("fails when its listener does", func(t *testing.T) {
		t.Parallel()
		server, err := sandbox.NewServer(serverOptions(t))
		must(t, err)
		listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
		must(t, err)
		must(t, listener.Close())
		if err := server.Serve(t.Context(), listener); err == nil {
			t.Error("it served nobody and was content")
		}
	})
}
