package keeper

import (
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seckill-dev/seckill/internal/handclock"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// till is cancelled orders, some of them with a payment that is still open. Order n is for item 7, payment 100+n pays it.
type till struct {
	*diary
	clock    *handclock.Clock
	owing    *fakeOwing
	payments *fakePayments
	provider *fakeProvider
	returns  *fakeReturns
	ports    Ports
	held     int // payments that the metrics say cannot be closed
	owed     int
}

func newTill(orders int) *till {
	d := &diary{}
	r := &till{
		diary: d, clock: handclock.New(), owing: &fakeOwing{}, payments: &fakePayments{diary: d},
		provider: &fakeProvider{diary: d}, returns: &fakeReturns{diary: d},
	}
	for n := range seckill.ID(orders) {
		r.owing.rows = append(r.owing.rows, owedReturn(n+1, 7))
	}
	r.ports = Ports{
		Owing: r.owing, Payments: r.payments, Returns: r.returns, Providers: map[string]seckill.Provider{"bank": r.provider},
		Shards: oneShard{}, Clock: r.clock, Log: discard(),
		Metrics: Metrics{
			Held:    func(_, _, payments int) { r.held = payments },
			Returns: func(_, orders int) { r.owed = orders },
		},
	}
	return r
}

func owedReturn(order, item seckill.ID) seckill.Owed {
	return seckill.Owed{
		ID: 1000 + order, Kind: seckill.OwedReturn, Item: item, User: "ann", Entry: seckill.BuyerEntry{ID: order, Quantity: 1},
	}
}

// pay begins a payment of each of the first orders.
func (r *till) pay(orders int) {
	for n := range seckill.ID(orders) {
		r.payments.open = append(r.payments.open, seckill.Payment{ID: 101 + n, Order: 1 + n, Provider: "bank"})
	}
}

func TestClose(t *testing.T) {
	t.Parallel()
	t.Run("records what has arrived before it notes the payment as closed", recordsBeforeClosing)
	t.Run("asks a provider that is away again, with pauses, until nothing is open any more", asksAgain)
	t.Run("forgets what somebody else has closed", forgetsWhatIsClosed)
	t.Run("keeps nobody waiting for a call that takes long, not even who comes later", keepsNobodyWaiting)
	t.Run("makes a bounded number of calls at a time", boundsItsCalls)
	t.Run("leaves a payment open whose provider is not configured, and names that", func(t *testing.T) {
		t.Parallel()
		r := newTill(1)
		r.pay(1)
		r.payments.open[0].Provider = "mint"
		var log strings.Builder
		r.ports.Log = slog.New(slog.NewTextHandler(&log, nil))
		job := NewClose(r.ports)
		for range closeTriesAlarm {
			if err := job.RunOnce(t.Context()); err != nil {
				t.Fatal(err)
			}
			r.clock.Advance(closeRetryMost)
		}
		if !strings.Contains(log.String(), `payment provider \"mint\" is not configured here`) {
			t.Fatalf("said %q", &log)
		}
	})
}

func recordsBeforeClosing(t *testing.T) {
	t.Parallel()
	r := newTill(2)
	r.pay(1)
	r.provider.charges = map[seckill.ID][]seckill.Charge{101: {{Txn: "a"}, {Txn: "b"}}}
	if err := NewClose(r.ports).RunOnce(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := r.read(); !slices.Equal(got, []string{"close 101", "record a of 101", "record b of 101", "closed 101"}) {
		t.Fatalf("did %v", got)
	}
}

func asksAgain(t *testing.T) {
	t.Parallel()
	r := newTill(1)
	r.pay(1)
	job := NewClose(r.ports)
	r.provider.away = true
	for range 3 {
		if err := job.RunOnce(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got := r.read(); !slices.Equal(got, []string{"close 101"}) || r.held != 1 {
		t.Fatalf("did %v without a pause, and counts %d", got, r.held)
	}
	r.clock.Advance(closeRetryLeast)
	_ = job.RunOnce(t.Context()) // away, as before
	r.provider.away = false
	r.clock.Advance(closeRetryLeast)
	_ = job.RunOnce(t.Context()) // the second pause is longer
	if got := r.read(); !slices.Equal(got, []string{"close 101", "close 101"}) {
		t.Fatalf("did %v", got)
	}
	r.clock.Advance(closeRetryMost)
	if err := job.RunOnce(t.Context()); err != nil || r.held != 0 || len(r.payments.open) > 0 {
		t.Fatalf("is back: %v, %d held", err, r.held)
	}
}

func forgetsWhatIsClosed(t *testing.T) {
	t.Parallel()
	r := newTill(1)
	r.pay(1)
	job := NewClose(r.ports)
	r.provider.away = true
	_ = job.RunOnce(t.Context()) // away
	r.payments.open = nil
	if err := job.RunOnce(t.Context()); err != nil || r.held != 0 {
		t.Fatalf("another keeper closed it: %v, %d held", err, r.held)
	}
}

func keepsNobodyWaiting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newTill(3)
		r.pay(2)
		r.provider.slow = map[seckill.ID]chan struct{}{101: make(chan struct{})}
		ended := make(chan error, 1)
		go func() { ended <- NewClose(r.ports).RunOnce(t.Context()) }()
		synctest.Wait()
		if got := r.read(); !slices.Equal(got, []string{"close 102", "closed 102"}) {
			t.Fatalf("beside a slow call it did %v", got)
		}
		r.with(func() {
			r.payments.open = append(r.payments.open, seckill.Payment{ID: 103, Order: 3, Provider: "bank"})
		})
		r.clock.Advance(errandsEvery)
		synctest.Wait()
		if got := r.read(); !slices.Contains(got, "closed 103") {
			t.Fatalf("who comes later waits: %v", got)
		}
		close(r.provider.slow[101])
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
	})
}

func boundsItsCalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const orders = 3 * errandsMax
		r := newTill(orders)
		r.pay(orders)
		slow := make(chan struct{})
		r.provider.slow = map[seckill.ID]chan struct{}{}
		for _, payment := range r.payments.open {
			r.provider.slow[payment.ID] = slow
		}
		ended := make(chan error, 1)
		go func() { ended <- NewClose(r.ports).RunOnce(t.Context()) }()
		synctest.Wait()
		if r.provider.most != errandsMax {
			t.Errorf("%d calls at a time, want %d", r.provider.most, errandsMax)
		}
		close(slow)
		if err := <-ended; err != nil || len(r.payments.open) > 0 || r.provider.most > errandsMax {
			t.Errorf("%v, %d left, %d calls at a time", err, len(r.payments.open), r.provider.most)
		}
	})
}

func TestBackoff(t *testing.T) {
	t.Parallel()
	t.Run("doubles with each failure, up to a bound", func(t *testing.T) {
		t.Parallel()
		for failures, want := range map[int]time.Duration{
			1: time.Second, 2: 2 * time.Second, 4: 8 * time.Second, 7: time.Minute, 1 << 30: time.Minute,
		} {
			if got := backoff(time.Second, time.Minute, failures); got != want {
				t.Errorf("%v after %d failures, want %v", got, failures, want)
			}
		}
	})
}
