package guard

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// fakeBank fails to refund, and never answers who wants to close.
type fakeBank struct {
	refunds int
	opening error
}

func (*fakeBank) Name() string { return "bank" }

func (*fakeBank) Lives() time.Duration { return time.Hour }

func (b *fakeBank) Open(context.Context, seckill.Payment, string) (session, url string, err error) {
	return "session", "url", b.opening
}

func (*fakeBank) Close(ctx context.Context, _ seckill.Payment) ([]seckill.Charge, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func (b *fakeBank) Refund(context.Context, seckill.Refund) error {
	b.refunds++
	return errBroken
}

func (*fakeBank) Read(seckill.Notice) ([]seckill.Charge, error) { return nil, seckill.ErrForged }

func TestProvider(t *testing.T) {
	t.Parallel()
	t.Run("leaves a call alone that keeps failing, and only that one", func(t *testing.T) {
		t.Parallel()
		bank := &fakeBank{}
		p := NewProvider(bank, Options{FailuresMax: 2})
		for range 4 {
			if err := p.Refund(t.Context(), seckill.Refund{}); err == nil {
				t.Fatal("no error")
			}
		}
		if err := p.Refund(t.Context(), seckill.Refund{}); !errors.Is(err, seckill.ErrUnavailable) || bank.refunds != 2 {
			t.Errorf("called %d times, then %v", bank.refunds, err)
		}
		if session, url, err := p.Open(t.Context(), seckill.Payment{}, ""); session != "session" || url != "url" || err != nil {
			t.Errorf("shoppers cannot pay: %q %q %v", session, url, err)
		}
		if _, err := p.Read(seckill.Notice{}); !errors.Is(err, seckill.ErrForged) || p.Name() != "bank" || p.Lives() != time.Hour {
			t.Errorf("reads notices of %s: %v", p.Name(), err)
		}
	})
	t.Run("keeps asking a provider that answers, even if it is that this payment cannot be", asksOn)
	t.Run("waits for no answer for ever", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			p := NewProvider(&fakeBank{}, Options{Timeout: time.Second})
			if _, err := p.Close(t.Context(), seckill.Payment{}); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("said %v", err)
			}
		})
	})
}

func asksOn(t *testing.T) {
	t.Parallel()
	for _, answer := range []error{seckill.ErrOver, seckill.ErrRefused} {
		p := NewProvider(&fakeBank{opening: answer}, Options{FailuresMax: 2})
		for range 4 {
			if _, _, err := p.Open(t.Context(), seckill.Payment{}, ""); !errors.Is(err, answer) {
				t.Fatalf("said %v", err)
			}
		}
	}
}
