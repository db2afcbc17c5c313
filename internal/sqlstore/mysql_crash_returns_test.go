package sqlstore_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/testenv"
)

// Returns and corrections are repeated over commits whose answer is lost, and each happens once.
func TestMySQLServerKilledInTheMiddleOfReturns(t *testing.T) {
	t.Parallel()
	const units, batch, workers, kills = 600, 4, 3, 3
	server := testenv.StartMariaDB(t)
	b := newBench(t, migratedOn(t, server), units, 1)
	var returns []seckill.Return
	for _, c := range b.settle(t, b.message(t, units)) {
		returns = append(returns, seckill.Return{Claim: c.ID, User: c.User, Quantity: c.Quantity})
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var working sync.WaitGroup
	var ops atomic.Int64
	for range workers { // all of them do all of it
		working.Go(func() {
			n := 0
			for some := range slices.Chunk(returns, batch) {
				n++
				if err := until(ctx, func() error { return b.returnAndAdjust(ctx, some, n) }); err != nil {
					t.Error(err)
					return
				}
				ops.Store(max(ops.Load(), int64(n)))
			}
		})
	}
	for kill := range int64(kills) {
		soon(t, "nothing comes back any more", func() bool { return ops.Load() > (kill+1)*units/batch/(kills+1) })
		server.Restart(t)
	}
	working.Wait()
	facts, err := b.Books.Facts(t.Context(), b.item)
	if err != nil || facts.Stock.Claimed != 0 || facts.ReturnedUnits != units || facts.Moved[seckill.MoveReturn] != units {
		t.Fatalf("got %+v, %v", facts, err)
	}
	if facts.Stock.Allotted != units+units/batch || facts.AdjustUnits != facts.Stock.Allotted {
		t.Fatalf("got %+v", facts)
	}
}

// returnAndAdjust brings some claims back and adds a unit under the number's op.
func (b *bench) returnAndAdjust(ctx context.Context, some []seckill.Return, number int) error {
	if _, err := b.Returns.Return(ctx, b.item, some); err != nil {
		return err
	}
	_, err := b.Adjustments.Adjust(ctx, seckill.Adjustment{Item: b.item, Op: fmt.Sprintf("op-%d", number), Delta: 1})
	return err
}
