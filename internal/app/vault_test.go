package app_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/seckill-dev/seckill/internal/app"
	"github.com/seckill-dev/seckill/internal/sandbox"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// vault is a bank that moves money at once, where the sandbox takes a file and a request for each step: for crowds. Its
// notices are the sandbox's, signed as those are.
type vault struct {
	seckill.Provider

	mu      sync.Mutex
	charges map[seckill.ID][]seckill.Charge // by payment
	amounts map[string]int64                // by txn, like what went back
	back    map[string]bool
}

// option makes it the shop's only bank.
func (v *vault) option(s *shop) app.Option {
	reader, err := sandbox.NewProvider(sandbox.ProviderOptions{URL: "http://127.0.0.1", Key: goodKey, Secret: goodSecret})
	if err != nil {
		s.t.Fatal(err)
	}
	v.Provider, v.charges, v.amounts, v.back = reader, map[seckill.ID][]seckill.Charge{}, map[string]int64{}, map[string]bool{}
	return func(b *app.Backend) { b.Providers = []seckill.Provider{v} }
}

// Open implements seckill.Provider.
func (*vault) Open(_ context.Context, payment seckill.Payment, _ string) (session, url string, err error) {
	return "cs_" + payment.ID.String(), "https://bank.test/" + payment.ID.String(), nil
}

// Close implements seckill.Provider. Money that is on its way arrives all the same.
func (v *vault) Close(_ context.Context, payment seckill.Payment) ([]seckill.Charge, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.charges[payment.ID]), nil
}

// Refund implements seckill.Provider.
func (v *vault) Refund(_ context.Context, refund seckill.Refund) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.amounts[refund.Txn] != refund.AmountMinor {
		return fmt.Errorf("there is no charge %s of %d", refund.Txn, refund.AmountMinor)
	}
	v.back[refund.Txn] = true
	return nil
}

// take takes what a payment asks for, and returns the notice of it.
func (v *vault) take(payment seckill.Payment) (seckill.Notice, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	of := v.charges[payment.ID]
	charge := seckill.Charge{
		Provider: sandbox.Name, Txn: fmt.Sprintf("ch_%s_%d", payment.ID, len(of)), Payment: payment.ID,
		AmountMinor: payment.AmountMinor, Currency: payment.Currency,
	}
	v.charges[payment.ID], v.amounts[charge.Txn] = append(of, charge), charge.AmountMinor
	return noticeOf(charge, time.Now(), goodSecret)
}

// noticeOf tells of a charge as the sandbox does, signed at that time with that secret.
func noticeOf(charge seckill.Charge, at time.Time, secret string) (seckill.Notice, error) {
	body, err := json.Marshal(map[string]any{
		"id": "evt_" + charge.Txn, "type": "charge.succeeded", "at": at, "session": "cs_" + charge.Payment.String(),
		"reference": charge.Payment, "charge": charge.Txn, "amount_minor": charge.AmountMinor, "currency": charge.Currency,
	})
	signature := sandbox.Sign(secret, at, body)
	return seckill.Notice{At: time.Now(), Body: body, Header: func(name string) string {
		return map[string]string{sandbox.SignatureHeader: signature}[name]
	}}, err
}

// standing is what it has and keeps, by the payment, and how many charges went back.
func (v *vault) standing() (kept map[seckill.ID]int64, refunds int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	kept = map[seckill.ID]int64{}
	for payment, charges := range v.charges {
		for _, charge := range charges {
			if !v.back[charge.Txn] {
				kept[payment] += charge.AmountMinor
			}
		}
	}
	return kept, len(v.back)
}
