package contract

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// OwingFixture is an empty outbox on every shard.
type OwingFixture struct {
	Owing  seckill.Owing
	Shards seckill.Shards
	// Owe writes rows as the transactions do that owe them.
	Owe func(t *testing.T, shard int, owed ...seckill.Owed)
}

// Owing is the suite of seckill.Owing.
func Owing(t *testing.T, open func(t *testing.T) OwingFixture) {
	t.Helper()
	stepsAreOwed(t, open)
	stepsAreDone(t, open)
}

func stepsAreOwed(t *testing.T, open func(t *testing.T) OwingFixture) {
	t.Helper()
	t.Run("returns the oldest of a kind, page by page", func(t *testing.T) {
		t.Parallel()
		f := open(t)
		f.Owe(t, 0, owedBuyer(3), owedBuyer(1), owedReturn(2), owedBuyer(5), owedBuyer(4))
		f.want(t, 0, 0, 2, owedBuyer(1), owedBuyer(3))
		f.want(t, 0, 3, 2, owedBuyer(4), owedBuyer(5))
		f.want(t, 0, 5, 2)
	})
	t.Run("counts by kind", func(t *testing.T) {
		t.Parallel()
		f := open(t)
		f.Owe(t, 0, owedBuyer(1), owedReturn(2), owedBuyer(3))
		for kind, want := range map[seckill.OwedKind]int64{seckill.OwedBuyer: 2, seckill.OwedReturn: 1, seckill.OwedNotify: 0} {
			got, err := f.Owing.Depth(t.Context(), 0, kind)
			must(t, err)
			if got != want {
				t.Fatalf("%s: %d owed, want %d", kind, got, want)
			}
		}
	})
}

func stepsAreDone(t *testing.T, open func(t *testing.T) OwingFixture) {
	t.Helper()
	t.Run("forgets what is done, also twice", func(t *testing.T) {
		t.Parallel()
		f := open(t)
		f.Owe(t, 0, owedBuyer(1), owedBuyer(2), owedBuyer(3))
		for range 2 {
			must(t, f.Owing.Done(t.Context(), 0, []seckill.ID{3, 1, 999}))
			f.want(t, 0, 0, 10, owedBuyer(2))
		}
		must(t, f.Owing.Done(t.Context(), 0, nil))
	})
	t.Run("forgets more than one statement carries", func(t *testing.T) {
		t.Parallel()
		f := open(t)
		var owed []seckill.Owed
		var done []seckill.ID
		for i := range seckill.ID(1200) {
			owed = append(owed, owedBuyer(i+1))
			done = append(done, 1200-i)
		}
		f.Owe(t, 0, owed...)
		must(t, f.Owing.Done(t.Context(), 0, done))
		f.want(t, 0, 0, 10)
	})
	t.Run("tells the shards apart", func(t *testing.T) {
		t.Parallel()
		f := open(t)
		last := f.Shards.Count() - 1
		if last == 0 {
			t.Skip("there is only one")
		}
		f.Owe(t, last, owedBuyer(1))
		must(t, f.Owing.Done(t.Context(), 0, []seckill.ID{1}))
		f.want(t, 0, 0, 10)
		f.want(t, last, 0, 10, owedBuyer(1))
	})
}

func owedBuyer(id seckill.ID) seckill.Owed {
	return seckill.Owed{
		ID: id, Kind: seckill.OwedBuyer, Item: 7, Epoch: 3, User: "ann",
		Entry: seckill.BuyerEntry{ID: id * 100, Quantity: 2, KeyHash: "k"},
	}
}

func owedReturn(id seckill.ID) seckill.Owed {
	owed := owedBuyer(id)
	owed.Kind = seckill.OwedReturn
	return owed
}

func (f OwingFixture) want(t *testing.T, shard int, after seckill.ID, limit int, want ...seckill.Owed) {
	t.Helper()
	got, err := f.Owing.Owed(t.Context(), shard, seckill.OwedBuyer, after, limit)
	must(t, err)
	if len(got) != len(want) || (len(want) > 0 && !cmp.Equal(got, want)) {
		t.Fatalf("shard %d owes:\n%s", shard, cmp.Diff(want, got))
	}
}
