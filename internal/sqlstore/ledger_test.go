package sqlstore_test

import (
	"context"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/contract"
	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sqlstore"
)

func TestLedgerContract(t *testing.T) {
	t.Parallel()
	for name, suite := range map[string]func(*testing.T, func(*testing.T) contract.Ledger){
		"stocks": contract.Stocks, "settle": contract.Settle, "claims": contract.Claims,
		"books": contract.Books, "halts": contract.Halts, "settle in a crowd": contract.SettleCrowd, "settle at once": contract.SettleAtOnce, "returns": contract.Returns,
		"adjustments": contract.Adjustments, "returns in a crowd": contract.ReturnsCrowd,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onStores(t, func(t *testing.T, open func(t *testing.T) *sqlstore.Store) {
				t.Helper()
				suite(t, func(t *testing.T) contract.Ledger {
					t.Helper()
					return ledger(open(t))
				})
			})
		})
	}
}

func TestLedgerInvariants(t *testing.T) {
	t.Parallel()
	onEngines(t, func(t *testing.T, e engine) {
		t.Helper()
		contract.SettleRandom(t, func(t *testing.T) contract.Ledger {
			t.Helper()
			return ledger(e.open(t, 1))
		})
	})
}

func ledger(store *sqlstore.Store) contract.Ledger {
	return contract.Ledger{
		Stocks: sqlstore.Stocks{Store: store}, Claims: sqlstore.Claims{Store: store}, Orders: sqlstore.Orders{Store: store},
		Returns: sqlstore.Stocks{Store: store}, Adjustments: sqlstore.Stocks{Store: store},
		Books: sqlstore.Books{Store: store}, Owing: sqlstore.Owing{Store: store}, Shards: store.Shards(), IDs: store.IDs(),
		Elapse: func(ctx context.Context, item seckill.ID, passed time.Duration) error {
			return elapse(ctx, store, item, passed)
		},
		Lose: func(ctx context.Context, item seckill.ID) error {
			write, _, err := store.SQL(seckill.HomeShard(store.Shards(), item))
			if err != nil {
				return err
			}
			_, err = write.ExecContext(ctx, "DELETE FROM stock WHERE item = ?", item)
			return err
		},
	}
}

// elapse leaves alone what has not happened yet.
func elapse(ctx context.Context, store *sqlstore.Store, item seckill.ID, passed time.Duration) error {
	write, _, err := store.SQL(seckill.HomeShard(store.Shards(), item))
	for _, column := range []string{"since", "progress", "claimed_at", "sealed_at"} {
		if err == nil {
			_, err = write.ExecContext(ctx, "UPDATE stock SET "+column+" = "+column+" - ? WHERE item = ? AND "+column+" > 0",
				passed.Milliseconds(), item)
		}
	}
	if err == nil {
		_, err = write.ExecContext(ctx, "UPDATE claims SET created_at = created_at - ? WHERE item = ?", passed.Milliseconds(), item)
	}
	return err
}

// tamper changes a shard by hand.
func tamper(t *testing.T, store *sqlstore.Store, shard int, statement string, args ...any) {
	t.Helper()
	write, _, err := store.SQL(shard)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := write.ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatal(err)
	}
}
