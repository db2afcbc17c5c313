package keeper

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

func TestReturn(t *testing.T) {
	t.Parallel()
	t.Run("gives back what nobody can pay any more, and keeps the rest", func(t *testing.T) {
		t.Parallel()
		r := newTill(3)
		r.pay(1)
		if err := NewReturn(r.ports).RunOnce(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := r.read(); !slices.Equal(got, []string{"return 2 of item 7", "return 3 of item 7"}) {
			t.Errorf("did %v", got)
		}
		if !slices.Equal(r.owing.done, []seckill.ID{1002, 1003}) || r.owed != 1 {
			t.Errorf("done %v, says that %d are owed", r.owing.done, r.owed)
		}
	})
	t.Run("lets an item whose shard is away hold up no other", func(t *testing.T) {
		t.Parallel()
		r := newTill(1)
		r.owing.rows = append(r.owing.rows, owedReturn(2, 8), owedReturn(3, 9))
		r.returns.away = 8
		if err := NewReturn(r.ports).RunOnce(t.Context()); !errors.Is(err, seckill.ErrUnavailable) {
			t.Errorf("said %v", err)
		}
		if done := slices.Sorted(slices.Values(r.owing.done)); !slices.Equal(done, []seckill.ID{1001, 1003}) || r.owed != 1 {
			t.Errorf("done %v, says that %d are owed", done, r.owed)
		}
	})
	t.Run("does not look at hundreds again at once that cannot be returned", restsAfterMany)
	t.Run("owes on what it could not write down", func(t *testing.T) {
		t.Parallel()
		r := newTill(1)
		r.owing.fail = seckill.ErrUnavailable
		if err := NewReturn(r.ports).RunOnce(t.Context()); !errors.Is(err, seckill.ErrUnavailable) || r.owed != 1 {
			t.Errorf("said %v, and that %d are owed", err, r.owed)
		}
	})
}

func restsAfterMany(t *testing.T) {
	t.Parallel()
	const held = 400
	r := newTill(held)
	for order := range held {
		r.pay(order + 1)
	}
	job := NewReturn(r.ports)
	look := func(want int) {
		t.Helper()
		if err := job.RunOnce(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := len(r.owing.done); got != want || r.owed != held {
			t.Errorf("%d are done, says that %d are owed", got, r.owed)
		}
	}
	look(0)
	r.payments.open = nil
	r.clock.Advance(restAfter(held) - time.Millisecond)
	look(0)
	r.clock.Advance(time.Millisecond)
	if err := job.RunOnce(t.Context()); err != nil || len(r.owing.done) != held || r.owed != 0 {
		t.Errorf("%d are done, says that %d are owed, %v", len(r.owing.done), r.owed, err)
	}
}

func TestExpire(t *testing.T) {
	t.Parallel()
	t.Run("cancels until fewer are overdue than it asked for", func(t *testing.T) {
		t.Parallel()
		r := newTill(0)
		r.payments.overdue = []int{expireBatch, expireBatch, 3, 4}
		if err := NewExpire(r.ports).RunOnce(t.Context()); err != nil {
			t.Fatal(err)
		}
		if asked := r.read(); len(asked) != 3 {
			t.Errorf("asked %v", asked)
		}
	})
	t.Run("lets a shard that is away hold up no other", func(t *testing.T) {
		t.Parallel()
		r := newTill(0)
		r.ports.Shards = twoShards{}
		r.payments.away = seckill.ErrUnavailable
		if err := NewExpire(r.ports).RunOnce(t.Context()); !errors.Is(err, seckill.ErrUnavailable) {
			t.Errorf("said %v", err)
		}
		if asked := r.read(); !slices.Equal(asked, []string{"cancel 500 on shard 1"}) {
			t.Errorf("asked %v", asked)
		}
	})
}
