package contract

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// noticeTolerance is how old a notice may be.
const noticeTolerance = 5 * time.Minute

func providerTells(t *testing.T, p ProviderFixture) {
	t.Helper()
	payment, charge := p.paid(t)
	if charge.Txn == "" {
		t.Error("the charge has no name")
	}
	want := seckill.Charge{
		Provider: p.Name(), Txn: charge.Txn, Payment: payment.ID, AmountMinor: payment.AmountMinor, Currency: payment.Currency,
	}
	if charge != want {
		t.Errorf("the notice tells of %+v, not of %+v", charge, want)
	}
	again, err := p.Read(p.Notice(t, payment.Session))
	if err != nil || len(again) != 1 || again[0] != charge {
		t.Errorf("told again it is %+v, %v", again, err)
	}
}

func providerRefusesForged(t *testing.T, p ProviderFixture) {
	t.Helper()
	payment, _ := p.paid(t)
	genuine := p.Notice(t, payment.Session)
	other := p.Sign(p.Elsewhere, genuine.At)
	for what, forged := range map[string]seckill.Notice{
		"another amount":       {Header: genuine.Header, At: genuine.At, Body: bytes.Replace(genuine.Body, []byte("1290"), []byte("1291"), 1)},
		"another order's":      {Header: genuine.Header, At: genuine.At, Body: bytes.ReplaceAll(genuine.Body, []byte(payment.ID.String()), []byte("7"))},
		"longer":               {Header: genuine.Header, At: genuine.At, Body: append(bytes.Clone(genuine.Body), ' ')},
		"empty":                {Header: genuine.Header, At: genuine.At},
		"another's signature":  {Header: other.Header, At: genuine.At, Body: genuine.Body},
		"without a signature":  {Header: func(string) string { return "" }, At: genuine.At, Body: genuine.Body},
		"signed with nonsense": {Header: func(string) string { return "t=,v1=" }, At: genuine.At, Body: genuine.Body},
		"signed by nobody":     {Header: func(string) string { return "t=1,v1=00" }, At: genuine.At, Body: genuine.Body},
		"garbage":              {Header: genuine.Header, At: genuine.At, Body: []byte("\x00\xff")},
	} {
		if _, err := p.Read(forged); !errors.Is(err, seckill.ErrForged) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func providerRefusesStale(t *testing.T, p ProviderFixture) {
	t.Helper()
	payment, charge := p.paid(t)
	body := p.Notice(t, payment.Session).Body
	now := p.Now()
	for _, it := range []struct {
		signed time.Duration
		want   error
	}{
		{0, nil},
		{-noticeTolerance + 2*time.Second, nil},
		{noticeTolerance - 2*time.Second, nil},
		{-noticeTolerance - 2*time.Second, seckill.ErrForged},
		{noticeTolerance + 2*time.Second, seckill.ErrForged},
	} {
		notice := p.Sign(body, now.Add(it.signed))
		notice.At = now
		charges, err := p.Read(notice)
		if !errors.Is(err, it.want) || (it.want == nil && (len(charges) != 1 || charges[0] != charge)) {
			t.Errorf("signed %v from now: %+v, %v", it.signed, charges, err)
		}
	}
}

func providerSaysUnreadable(t *testing.T, p ProviderFixture) {
	t.Helper()
	payment, _ := p.paid(t)
	genuine := p.Notice(t, payment.Session)
	for what, body := range map[string][]byte{
		"not JSON":         []byte("\x00\xff"),
		"empty":            {},
		"cut off":          genuine.Body[:len(genuine.Body)/2],
		"nobody's payment": bytes.ReplaceAll(genuine.Body, []byte(payment.ID.String()), []byte("mug")),
	} {
		if _, err := p.Read(p.Sign(body, p.Now())); !errors.Is(err, seckill.ErrUnreadable) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func providerIgnoresElsewhere(t *testing.T, p ProviderFixture) {
	t.Helper()
	charges, err := p.Read(p.Sign(p.Elsewhere, p.Now()))
	if err != nil || len(charges) > 0 {
		t.Errorf("it tells of %+v, %v", charges, err)
	}
}
