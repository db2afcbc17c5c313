package stripe_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/handclock"
	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/stripe"
)

// reader reads notices; it calls nobody.
func reader(f *testing.F) *stripe.Provider {
	f.Helper()
	p, err := stripe.New(stripe.Options{Key: testKey, WebhookSecret: testSecret, SuccessURL: "https://shop.example", CancelURL: "https://shop.example"})
	if err != nil {
		f.Fatal(err)
	}
	return p
}

func noticeWith(signature string, body []byte, at time.Time) seckill.Notice {
	header := http.Header{}
	header.Set("Stripe-Signature", signature)
	return seckill.Notice{Header: header.Get, Body: body, At: at}
}

// isSigned says whether a header has the time of some seconds and an HMAC of it and the body.
func isSigned(header string, now int64, body string) bool {
	stamp, good := "", false
	for pair := range strings.SplitSeq(header, ",") {
		if value, isTime := strings.CutPrefix(pair, "t="); isTime {
			stamp = value
		}
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	mac := hmac.New(sha256.New, []byte(testSecret))
	_, _ = mac.Write([]byte(strconv.FormatInt(seconds, 10) + "." + body))
	for pair := range strings.SplitSeq(header, ",") {
		value, isSignature := strings.CutPrefix(pair, "v1=")
		good = good || isSignature && strings.EqualFold(value, hex.EncodeToString(mac.Sum(nil)))
	}
	return err == nil && good && seconds >= now-300 && seconds <= now+300
}

// FuzzSignature: a notice that is believed has the HMAC of its last time and its body, made within five minutes of now; one
// that Stripe would send is believed.
func FuzzSignature(f *testing.F) {
	p, now := reader(f), handclock.New().Now()
	const body = `{"object":"event","type":"payout.paid"}`
	good := sign([]byte(body), now).Header("Stripe-Signature")
	for _, header := range []string{good, "", "t=,v1=", good + ",v1=00", good + ",t=1", "t=1," + good, strings.ToUpper(good), good + ",", good + ",t=1=2"} {
		f.Add(header, int64(0), body)
	}
	f.Add("", int64(299), body)
	f.Add("", int64(-301), body)
	f.Add("", int64(-1<<62), body)
	f.Fuzz(func(t *testing.T, header string, off int64, body string) {
		ours := header == ""
		if ours {
			header = sign([]byte(body), time.Unix(now.Unix()+off, 0)).Header("Stripe-Signature")
		}
		_, err := p.Read(noticeWith(header, []byte(body), now))
		believed := !errors.Is(err, seckill.ErrForged)
		if good := isSigned(header, now.Unix(), body); believed && !good || ours && good && !believed {
			t.Fatalf("%q of %q, %d seconds off: %v", header, body, off, err)
		}
	})
}

// FuzzNotice: of what is rightly signed, at most one charge is read; it is of us, has an id, and was paid.
func FuzzNotice(f *testing.F) {
	p, now := reader(f), handclock.New().Now()
	event := func(kind, session string) []byte {
		return []byte(`{"id":"evt_1","object":"event","type":"` + kind + `","api_version":"2020-08-27","data":{"object":` + session + `}}`)
	}
	const completed = "checkout.session.completed"
	f.Add(event(completed, `{"id":"cs_1","object":"checkout.session","payment_status":"paid","payment_intent":"pi_1","amount_total":1290,"currency":"eur","metadata":{"seckill_payment":"77"}}`))
	f.Add(event(completed, `{"id":"cs_1","payment_status":"paid","payment_intent":{"id":"pi_1"},"amount_total":1290,"currency":"eur","metadata":{"seckill_payment":"77"}}`))
	f.Add(event(completed, `{"id":"cs_1","payment_status":"unpaid","metadata":{"seckill_payment":"77"}}`))
	f.Add(event(completed, `{"id":"cs_1","payment_status":"paid","payment_intent":null,"metadata":{"seckill_payment":"x"}}`))
	f.Add(event(completed, `null`))
	f.Add(event("payout.paid", `{"id":"po_1"}`))
	f.Add([]byte(`{"object":"event","type":"checkout.session.completed"}`))
	f.Add([]byte(`{"object":"event","type":"checkout.session.completed","data":null}`))
	f.Add([]byte(`null`))
	f.Add([]byte(``))
	f.Fuzz(func(t *testing.T, body []byte) {
		charges, err := p.Read(sign(body, now))
		if err != nil {
			if !errors.Is(err, seckill.ErrUnreadable) || len(charges) > 0 {
				t.Fatalf("%q: %+v, %v", body, charges, err)
			}
			return
		}
		if len(charges) > 1 || len(charges) == 1 && (charges[0].Payment <= 0 || charges[0].Txn == "" || charges[0].Provider != stripe.Name) {
			t.Fatalf("%q: %+v", body, charges)
		}
		if len(charges) == 1 && !json.Valid(body) {
			t.Fatalf("%q is no JSON, but %+v", body, charges)
		}
	})
}
