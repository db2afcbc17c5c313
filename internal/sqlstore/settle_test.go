package sqlstore_test

import (
	"errors"
	"testing"

	"github.com/seckill-dev/seckill/internal/seckill"
)

func TestSettle(t *testing.T) {
	t.Parallel()
	t.Run("takes a missing id for a passing failure, never for poison", func(t *testing.T) {
		t.Parallel()
		folder := t.TempDir()
		b := newBench(t, leased(t, config(folder, 1)), 10, 1)
		m := b.message(t, 1)
		m.Reservations[0].Quantity = 2 // is rejected, and so owes a step that needs an id
		idless := ledger(open(t, config(folder, 1)))
		settlement, err := idless.Claims.Settle(t.Context(), 0, []seckill.Message{m}, nil)
		if !errors.Is(err, seckill.ErrTransient) || errors.Is(err, seckill.ErrPoison) || len(settlement.Rejected) > 0 {
			t.Fatalf("got %+v, %v", settlement, err)
		}
		if found, err := b.Claims.Find(t.Context(), b.item, []seckill.ID{m.Reservations[0].ID}); err != nil || len(found) > 0 {
			t.Fatalf("got %+v, %v", found, err)
		}
	})
}
