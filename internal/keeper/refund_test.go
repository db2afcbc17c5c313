package keeper

import (
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

func owedRefund(tries int64) seckill.Refund {
	return seckill.Refund{Provider: "bank", Txn: "a", Order: 1, Tries: tries, State: seckill.RefundOwed}
}

func TestRefund(t *testing.T) {
	t.Parallel()
	t.Run("notes a refund once the provider has confirmed it", func(t *testing.T) {
		t.Parallel()
		r := newTill(0)
		r.payments.due = []seckill.Refund{owedRefund(0)}
		var owed int64
		var oldest time.Duration
		r.ports.Metrics.Refunds = func(_ int, refunds int64, since time.Duration) { owed, oldest = refunds, since }
		if err := NewRefund(r.ports).RunOnce(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := r.read(); !slices.Equal(got, []string{"refund a", "refunded a"}) {
			t.Errorf("did %v", got)
		}
		if owed != 1 || oldest != time.Minute {
			t.Errorf("says that %d are owed since %v", owed, oldest)
		}
	})
	t.Run("counts a refund where it was ended, not where another keeper was quicker", countsOwnRefunds)
	t.Run("puts one that fails off for longer and longer, and calls somebody after ten tries", putsOff)
	t.Run("notes a try whose time was used up", notesALateTry)
}

func countsOwnRefunds(t *testing.T) {
	t.Parallel()
	for _, ended := range []bool{false, true} {
		r := newTill(0)
		r.payments.due, r.payments.ended = []seckill.Refund{owedRefund(0)}, ended
		var log strings.Builder
		var counted []seckill.RefundReason
		r.ports.Log = slog.New(slog.NewTextHandler(&log, nil))
		r.ports.Metrics.Refunded = func(reason seckill.RefundReason) { counted = append(counted, reason) }
		if err := NewRefund(r.ports).RunOnce(t.Context()); err != nil {
			t.Fatal(err)
		}
		if said := strings.Contains(log.String(), "money went back"); said == ended || (len(counted) == 1) == ended {
			t.Errorf("ended by another one: %t, counts %v and says %q", ended, counted, &log)
		}
	}
}

func putsOff(t *testing.T) {
	t.Parallel()
	r := newTill(0)
	r.provider.away = true
	stuck := 0
	r.ports.Metrics.Stuck = func() { stuck++ }
	for tries, least := range map[int64]time.Duration{0: time.Second, 3: 8 * time.Second, 8: 256 * time.Second, 9: 5 * time.Minute, 99: 5 * time.Minute} {
		r.payments.due, r.payments.waits, stuck = []seckill.Refund{owedRefund(tries)}, nil, 0
		if err := NewRefund(r.ports).RunOnce(t.Context()); err != nil {
			t.Fatal(err)
		}
		if wait := r.payments.waits[0]; wait < least || wait > least*5/4 {
			t.Errorf("puts it off for %v after %d tries, want %v and a little", wait, tries+1, least)
		}
		if wanted := tries+1 >= refundTriesAlarm; (stuck == 1) != wanted {
			t.Errorf("calls somebody %d times after %d tries", stuck, tries+1)
		}
	}
}

func notesALateTry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newTill(0)
		r.payments.due = []seckill.Refund{owedRefund(0)}
		r.provider.slow = map[seckill.ID]chan struct{}{1: nil} // never
		if err := NewRefund(r.ports).RunOnce(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := r.read(); !slices.Equal(got, []string{"refund a", "failed a"}) {
			t.Errorf("did %v", got)
		}
	})
}
