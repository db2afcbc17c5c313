package sandbox_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/seckill-dev/seckill/internal/sandbox"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// whoever answers in the sandbox's place, always the same.
type whoever struct {
	status int
	body   []byte
}

func (w whoever) RoundTrip(request *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: w.status, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Request: request,
		Body: io.NopCloser(bytes.NewReader(w.body)), ContentLength: int64(len(w.body)),
	}, nil
}

// askedOf is the shop's side of a sandbox of which only the answers are known.
func askedOf(t *testing.T, status uint16, body []byte) *sandbox.Provider {
	t.Helper()
	p, err := sandbox.NewProvider(sandbox.ProviderOptions{
		URL: "http://sandbox.example", Key: testKey, Secret: testSecret, HTTP: &http.Client{Transport: whoever{int(status), body}},
	})
	must(t, err)
	return p
}

// expectShort wants an error that fits into a log, and does not tell the key.
func expectShort(t *testing.T, body []byte, err error) {
	t.Helper()
	if text := err.Error(); len(text) > 2000 || strings.Contains(text, testKey) || strings.Contains(text, testSecret) {
		t.Fatalf("%q becomes an error of %d bytes: %.300s", body, len(text), text)
	}
}

// FuzzAnswers: a payment is open where people can go, and closed with the money that the answer tells of, each of it by a name;
// a charge has gone back when the answer says so of this charge. All else is an error, and a short one.
func FuzzAnswers(f *testing.F) {
	for _, seed := range []string{
		`{"id":"s","url":"http://sandbox.example/pay/s","reference":"77","state":"open"}`, `{"id":"s","url":"javascript:alert(1)","reference":"77","state":"open"}`,
		`{"id":"s","url":"http://sandbox.example/pay/s","reference":"77","state":"expired"}`, `{"reference":"77","state":"closed","charges":[]}`,
		`{"reference":"77","state":"paid","charges":[{"id":"ch_1","amount_minor":1290,"currency":"EUR"}]}`, `{"reference":"77","state":"paid","charges":[{"amount_minor":1290}]}`,
		`{"reference":"77","state":"paid","charges":[]}`, `{"reference":"77","state":"closed","charges":[{"id":"late","amount_minor":1,"currency":"EUR"}]}`, `{"reference":"77","state":"closed","charges":[null]}`, `{"reference":"77","state":"paid","charges":[{"id":"ch_1","amount_minor":-1}]}`,
		`{"charge":"ch_1","amount_minor":1290}`, `{"charge":"ch_1","amount_minor":1}`, `null`, ``, `[]`,
	} {
		f.Add(uint16(http.StatusOK), []byte(seed))
	}
	f.Add(uint16(http.StatusConflict), []byte(`{"code":"already_refunded","message":"charge ch_1 has been refunded"}`))
	f.Add(uint16(http.StatusBadGateway), []byte(`{"code":"already_refunded"}`))
	f.Add(uint16(http.StatusBadRequest), []byte(`{"message":"`+strings.Repeat("é", 3000)+`"}`))
	f.Fuzz(func(t *testing.T, status uint16, body []byte) {
		if status < http.StatusOK || status > 999 {
			t.Skip("net/http does not hand it on")
		}
		p := askedOf(t, status, body)
		payment := seckill.Payment{ID: 77, Order: 8, AmountMinor: 1290, Currency: "EUR"}
		session, place, err := p.Open(t.Context(), payment, "Mug")
		if err != nil {
			expectShort(t, body, err)
		} else if led, err := url.Parse(place); session == "" || err != nil || led.Host == "" || !strings.HasPrefix(led.Scheme, "http") {
			t.Fatalf("%d %q opens %q at %q", status, body, session, place)
		}
		expectClosed(t, p, payment, body)
		err = p.Refund(t.Context(), seckill.Refund{Txn: "ch_1", AmountMinor: 1290, Currency: "EUR"})
		if err != nil {
			expectShort(t, body, err)
		} else if said := body; status >= http.StatusMultipleChoices && (status != http.StatusConflict || !bytes.Contains(said, []byte("already_refunded"))) || len(said) < len(`{"charge":"ch_1"}`) {
			t.Fatalf("%d %q gives the money back", status, body)
		}
	})
}

func expectClosed(t *testing.T, p *sandbox.Provider, payment seckill.Payment, body []byte) {
	t.Helper()
	charges, err := p.Close(t.Context(), payment)
	if err != nil {
		if len(charges) > 0 {
			t.Fatalf("%q: %+v, %v", body, charges, err)
		}
		expectShort(t, body, err)
		return
	}
	var said struct {
		State   string
		Charges []struct {
			ID          string
			AmountMinor int64 `json:"amount_minor"`
			Currency    string
		}
	}
	if json.Unmarshal(body, &said) != nil || len(said.Charges) != len(charges) || said.State == "paid" && len(charges) == 0 {
		t.Fatalf("%q closes with %+v", body, charges)
	}
	for i, charge := range charges {
		want := seckill.Charge{
			Provider: sandbox.Name, Txn: said.Charges[i].ID, Payment: payment.ID, Order: payment.Order,
			AmountMinor: said.Charges[i].AmountMinor, Currency: said.Charges[i].Currency,
		}
		if charge != want || charge.Txn == "" || charge.AmountMinor < 0 {
			t.Fatalf("%q closes with %+v", body, charges)
		}
	}
}

// FuzzLines: a ledger that is read over the network is one JSON line after the other, and the same when it is written again;
// whoever writes anything else is refused.
func FuzzLines(f *testing.F) {
	for _, seed := range []string{
		`{"n":1,"kind":"opened","at":"2026-03-20T10:00:00Z","session":"s","reference":"7"}` + "\n" + `{"n":2,"kind":"told","session":"s","txn":"c"}` + "\n",
		"", "\n\n", "null", `{"n":1}{"n":2}`, `{"n":1.5}`, `{"n":1`, `[{"n":1}]`, `{"expires_at":"9999-12-31T23:59:59-01:00"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		entries, err := askedOf(t, http.StatusOK, body).Ledger(t.Context(), 0, 100)
		if err != nil {
			expectShort(t, body, err)
			return
		}
		if len(entries) > bytes.Count(body, []byte("l"))+bytes.Count(body, []byte("}")) { // null, or an object
			t.Fatalf("%q has %d entries", body, len(entries))
		}
		var again bytes.Buffer
		lines := json.NewEncoder(&again)
		for _, entry := range entries {
			if err := lines.Encode(entry); err != nil {
				var unwritable *json.MarshalerError
				if errors.As(err, &unwritable) {
					return // there are moments that can be read and not written
				}
				t.Fatal(err)
			}
		}
		read, err := askedOf(t, http.StatusOK, again.Bytes()).Ledger(t.Context(), 0, 100)
		if err != nil || len(read) != len(entries) || len(read) > 0 && !reflect.DeepEqual(read, entries) {
			t.Fatalf("%q, written as %q, became %+v, %v", body, again.Bytes(), read, err)
		}
	})
}
