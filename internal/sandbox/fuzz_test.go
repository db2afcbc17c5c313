package sandbox_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/handclock"
	"github.com/seckill-dev/seckill/internal/sandbox"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// reader reads notices; it calls nobody.
func reader(f *testing.F) *sandbox.Provider {
	f.Helper()
	p, err := sandbox.NewProvider(sandbox.ProviderOptions{URL: "http://sandbox.example", Key: testKey, Secret: testSecret})
	if err != nil {
		f.Fatal(err)
	}
	return p
}

func headerOf(signature string) func(string) string {
	header := http.Header{}
	header.Set(sandbox.SignatureHeader, signature)
	return header.Get
}

// FuzzSignature: a notice is believed if, and only if, its header carries the HMAC of its own time and body, made within five
// minutes of now.
func FuzzSignature(f *testing.F) {
	p, now := reader(f), handclock.New().Now()
	const body = `{"type":"payout.paid"}`
	good := sandbox.Sign(testSecret, now, []byte(body))
	for _, header := range []string{good, "", "t=,v1=", "t=1,v1=00", good + ",v0=00", strings.ToUpper(good), good[:len(good)-1], " " + good, "v1=00,t=1"} {
		f.Add(header, int64(0), body)
	}
	f.Add("", int64(299), body)
	f.Add("", int64(-301), body)
	f.Add("", int64(-1<<62), body)
	f.Fuzz(func(t *testing.T, header string, off int64, body string) {
		if header == "" {
			header = sandbox.Sign(testSecret, time.Unix(now.Unix()+off, 0), []byte(body))
		}
		stamp, signature, _ := strings.Cut(strings.TrimPrefix(header, "t="), ",v1=")
		mac := hmac.New(sha256.New, []byte(testSecret))
		_, _ = mac.Write([]byte(stamp + "." + body))
		seconds, err := strconv.ParseInt(stamp, 10, 64)
		good := err == nil && seconds >= now.Unix()-300 && seconds <= now.Unix()+300 &&
			strings.HasPrefix(header, "t=") && strings.EqualFold(signature, hex.EncodeToString(mac.Sum(nil)))
		_, err = p.Read(seckill.Notice{Header: headerOf(header), Body: []byte(body), At: now})
		if good == errors.Is(err, seckill.ErrForged) {
			t.Fatalf("%q of %q, %d seconds off: %v", header, body, off, err)
		}
	})
}

// FuzzNotice: of what is rightly signed, at most one charge is read, it names a payment, and says what the notice says.
func FuzzNotice(f *testing.F) {
	p, now := reader(f), handclock.New().Now()
	for _, body := range []string{
		`{"id":"evt_1","type":"charge.succeeded","reference":"77","charge":"ch_1","amount_minor":1290,"currency":"EUR"}`,
		`{"type":"charge.succeeded","reference":"77","charge":"ch_1","amount_minor":1e3}`, `{"type":"charge.succeeded","reference":"077","charge":"ch_1"}`,
		`{"type":"charge.succeeded","reference":"77"}`, `{"type":"payout.paid"}`, `{"TYPE":"charge.succeeded"}`, `null`, `[]`, `{`, ``,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		charges, err := p.Read(seckill.Notice{Header: headerOf(sandbox.Sign(testSecret, now, body)), Body: body, At: now})
		var said struct {
			Type, Reference, Charge, Currency string
			AmountMinor                       int64 `json:"amount_minor"`
		}
		switch unread := json.Unmarshal(body, &said); {
		case err != nil && (!errors.Is(err, seckill.ErrUnreadable) || len(charges) > 0):
			t.Fatalf("%q: %+v, %v", body, charges, err)
		case err != nil || len(charges) == 0:
		case unread != nil || len(charges) > 1 || said.Type != "charge.succeeded" || charges[0] != seckill.Charge{
			Provider: sandbox.Name, Txn: said.Charge, Payment: charges[0].Payment, AmountMinor: said.AmountMinor, Currency: said.Currency,
		}:
			t.Fatalf("%q: %+v", body, charges)
		case said.Charge == "" || charges[0].Payment <= 0 || charges[0].Payment.String() != said.Reference:
			t.Fatalf("%q: %+v", body, charges)
		}
	})
}

// FuzzCalls: whatever is sent to the sandbox, it does not break, and whoever is refused has changed nothing.
func FuzzCalls(f *testing.F) {
	const isJSON, isForm = "application/json", "application/x-www-form-urlencoded"
	session := `{"amount_minor":1,"currency":"EUR","title":"Mug","expires_at":"2090-01-01T00:00:00Z"}`
	f.Add("POST", "/v1/sessions", isJSON, "8", session)
	f.Add("POST", "/v1/sessions", isJSON, "7", session)
	f.Add("POST", "/v1/sessions", isJSON, "8", `{"amount_minor":1e99,"expires_at":"x"}`)
	f.Add("POST", "/v1/sessions", isJSON, "8", strings.Replace(session, "2090-01-01T00:00:00Z", "9999-12-31T23:59:59-01:00", 1))
	f.Add("POST", "/pay/{session}", isJSON, "", `{"behave":"twice","delay":0}`)
	f.Add("POST", "/pay/{session}", isForm, "", `behave=late&delay=1e400`)
	f.Add("POST", "/pay/{session}", isForm, "", `behave=pay&delay=NaN`)
	f.Add("POST", "/pay/{session}", isJSON, "", `{"delay":3600.1}`)
	f.Add("POST", "/v1/refunds", isJSON, "", `{"charge":"ch_1","amount_minor":1,"currency":"EUR"}`)
	f.Add("POST", "/v1/references/7/expire", "", "", "")
	f.Add("GET", "/v1/ledger?after=-1&limit=x", "", "", "")
	f.Add("POST", "/v1/outage", isJSON, "", `{"seconds":-1}`)
	f.Fuzz(func(t *testing.T, method, target, media, key, body string) {
		options := serverOptions(t)
		server, err := sandbox.NewServer(options)
		must(t, err)
		defer func() { must(t, server.Close()) }()
		serve := func(method, target, media, key, body string) *httptest.ResponseRecorder {
			request, err := http.NewRequestWithContext(t.Context(), method, "http://sandbox.example"+target, strings.NewReader(body))
			if err != nil {
				t.Skip("net/http refuses it")
			}
			request.Header = http.Header{"Content-Type": {media}, "Idempotency-Key": {key}, "Authorization": {"Bearer " + testKey}}
			answer := httptest.NewRecorder()
			server.Handler().ServeHTTP(answer, request)
			return answer
		}
		var opened struct{ ID string }
		must(t, json.Unmarshal(serve("POST", "/v1/sessions", isJSON, "7", session).Body.Bytes(), &opened))
		before, err := os.ReadFile(options.Ledger)
		must(t, err)
		answer := serve(method, strings.ReplaceAll(target, "{session}", opened.ID), media, key, body)
		after, err := os.ReadFile(options.Ledger)
		must(t, err)
		if answer.Code == http.StatusInternalServerError || !bytes.HasPrefix(after, before) || answer.Code >= 400 && len(after) != len(before) {
			t.Fatalf("answered %d %s; the ledger was\n%snow it is\n%s", answer.Code, answer.Body, before, after)
		}
	})
}

// FuzzLedger: a ledger is replayed as far as it has whole lines, or refused as it is; who opens it again comes to the same.
func FuzzLedger(f *testing.F) {
	const opened = `{"n":1,"kind":"opened","at":"2026-03-20T10:00:00Z","session":"s","reference":"7","key":"7","amount_minor":1,"currency":"EUR","expires_at":"2026-03-20T11:00:00Z"}` + "\n"
	f.Add([]byte(opened + `{"n":2,"kind":"charged","at":"2026-03-20T10:00:01Z","session":"s","txn":"c","amount_minor":1,"currency":"EUR"}` + "\n" + `{"n":3,"kind":"told","session":"s","txn":"c"}` + "\n{\"n\":4"))
	f.Add([]byte(opened + `{"n":2,"kind":"refunded","session":"s","txn":"nobody's"}` + "\n"))
	f.Add([]byte(`{"n":1,"kind":"closed","session":"s","reference":"7"}` + "\n" + `{"n":2,"kind":"promised","session":"s","behave":"pay","due_at":"2026-03-20T10:00:01Z"}` + "\n"))
	f.Add([]byte("\n"))
	f.Add([]byte("null\n"))
	f.Add([]byte(`{"n":1,"kind":""}` + "\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		options := serverOptions(t)
		must(t, os.WriteFile(options.Ledger, content, 0o600))
		server, err := sandbox.NewServer(options)
		kept, errKept := os.ReadFile(options.Ledger)
		must(t, errKept)
		if err != nil {
			if !bytes.Equal(kept, content) {
				t.Fatalf("%q was refused (%v), and became %q", content, err, kept)
			}
			return
		}
		must(t, server.Close())
		if want := content[:bytes.LastIndexByte(content, '\n')+1]; !bytes.Equal(kept, want) {
			t.Fatalf("%q became %q", content, kept)
		}
		again, err := sandbox.NewServer(options)
		must(t, err)
		must(t, again.Close())
	})
}
