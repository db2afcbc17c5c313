package stripe_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

func TestRead(t *testing.T) {
	t.Parallel()
	t.Run("tells of a charge that a bank took days for, when it is there", readsLater)
	t.Run("tells nothing of the sessions of others on the same account", readsOthers)
	t.Run("takes a signature made with either of two secrets while they are rolled", readsRolled)
	t.Run("judges by the time that is signed, however many there are", readsSignedTime)
	t.Run("reads no more than a notice may have", readsBounded)
	t.Run("survives an event without data", readsEmpty)
}

func (f *fixture) read(t testing.TB, notice seckill.Notice) []seckill.Charge {
	t.Helper()
	charges, err := f.Read(notice)
	must(t, err)
	return charges
}

func readsLater(t *testing.T) {
	t.Parallel()
	f := open(t)
	session := f.paid(t).Session
	f.stripe.change(session, func(c *checkout) { c.payment = "unpaid" })
	if charges := f.read(t, sign(f.stripe.event(session, "checkout.session.completed"), f.clock.Now())); len(charges) > 0 {
		t.Errorf("told of %+v", charges)
	}
	f.stripe.change(session, func(c *checkout) { c.payment = "paid" })
	charges := f.read(t, sign(f.stripe.event(session, "checkout.session.async_payment_succeeded"), f.clock.Now()))
	if len(charges) != 1 || charges[0].Txn != "pi_of_"+session {
		t.Errorf("told of %+v", charges)
	}
	if charges := f.read(t, sign(f.stripe.event(session, "checkout.session.expired"), f.clock.Now())); len(charges) > 0 {
		t.Errorf("told of %+v", charges)
	}
}

func readsOthers(t *testing.T) {
	t.Parallel()
	f := open(t)
	session := f.paid(t).Session
	body := bytes.ReplaceAll(f.stripe.event(session, "checkout.session.completed"), []byte("seckill_"), []byte("bakery_"))
	if charges := f.read(t, sign(body, f.clock.Now())); len(charges) > 0 {
		t.Errorf("told of %+v", charges)
	}
}

func readsRolled(t *testing.T) {
	t.Parallel()
	f := open(t)
	genuine := sign(f.stripe.event(f.paid(t).Session, "checkout.session.completed"), f.clock.Now())
	_, signature, _ := bytes.Cut([]byte(genuine.Header("Stripe-Signature")), []byte(","))
	header := http.Header{}
	header.Set("Stripe-Signature", fmt.Sprintf("t=%d,v1=00,%s", genuine.At.Unix(), signature))
	if charges := f.read(t, seckill.Notice{Header: header.Get, Body: genuine.Body, At: genuine.At}); len(charges) != 1 {
		t.Errorf("told of %+v", charges)
	}
}

func readsSignedTime(t *testing.T) {
	t.Parallel()
	f := open(t)
	old := sign(f.stripe.event(f.paid(t).Session, "checkout.session.completed"), f.clock.Now())
	now := f.clock.Now().Add(time.Hour)
	for _, header := range []string{
		fmt.Sprintf("t=%d,%s", now.Unix(), old.Header("Stripe-Signature")),
		fmt.Sprintf("%s,t=%d", old.Header("Stripe-Signature"), now.Unix()),
	} {
		notice := seckill.Notice{Header: func(string) string { return header }, Body: old.Body, At: now}
		if _, err := f.Read(notice); !errors.Is(err, seckill.ErrForged) {
			t.Errorf("%s: %v", header, err)
		}
	}
}

func readsBounded(t *testing.T) {
	t.Parallel()
	f := open(t)
	body := append(f.stripe.event(f.paid(t).Session, "checkout.session.completed"), bytes.Repeat([]byte(" "), 64<<10)...)
	if _, err := f.Read(sign(body, f.clock.Now())); !errors.Is(err, seckill.ErrUnreadable) {
		t.Errorf("got %v", err)
	}
}

func readsEmpty(t *testing.T) {
	t.Parallel()
	f := open(t)
	for _, body := range []string{
		`{"object":"event","type":"checkout.session.completed"}`,
		`{"object":"event","type":"checkout.session.completed","data":null}`,
		`{"object":"event","type":"checkout.session.completed","data":{}}`,
		`{"object":"event","type":"checkout.session.completed","data":{"object":[]}}`,
		`{"object":"event","type":"checkout.session.completed","data":{"object":{"metadata":{"seckill_payment":"7"},"payment_status":"paid"}}}`,
		`null`, `[]`, `{}`, `"event"`,
	} {
		if charges, err := f.Read(sign([]byte(body), f.clock.Now())); !errors.Is(err, seckill.ErrUnreadable) || len(charges) > 0 {
			t.Errorf("%s: %+v, %v", body, charges, err)
		}
	}
}
