package sqlstore_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/contract"
	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sqlstore"
)

func TestPaymentsContract(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, open func(t *testing.T) *sqlstore.Store) {
		t.Helper()
		contract.Payments(t, func(t *testing.T) contract.Till {
			t.Helper()
			return till(open(t))
		})
	})
}

func till(store *sqlstore.Store) contract.Till {
	return contract.Till{
		Payments: sqlstore.Payments{Store: store}, Orders: sqlstore.Orders{Store: store}, Owing: sqlstore.Owing{Store: store},
		Books:  sqlstore.Books{Store: store},
		Shards: store.Shards(), IDs: store.IDs(),
		SetDeadline: func(ctx context.Context, item seckill.ID, in time.Duration) error {
			return setDeadline(ctx, store, item, time.Now().Add(in))
		},
	}
}

// setDeadline may take the test's own clock for the database's: they run on one machine.
func setDeadline(ctx context.Context, store *sqlstore.Store, item seckill.ID, payBy time.Time) error {
	for shard := range store.Shards().Count() {
		write, _, err := store.SQL(shard)
		if err != nil {
			return err
		}
		for table := range 16 {
			_, err := write.ExecContext(ctx, fmt.Sprintf("UPDATE orders_%02d SET pay_by = ? WHERE item = ?", table),
				payBy.UnixMilli(), item)
			if err != nil {
				return err
			}
		}
	}
	return nil
}
