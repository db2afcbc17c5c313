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
		"books": contract.Books, "settle in a crowd": contract.SettleCrowd, "returns": contract.Returns,
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
			write, _, err := store.SQL(seckill.HomeShard(store.Shards(), item))
			if err != nil {
				return err
			}
			age := passed.Milliseconds()
			_, err = write.ExecContext(ctx, "UPDATE stock SET since = since - ?, progress = progress - ?,"+
				" claimed_at = claimed_at - ?, sealed_at = sealed_at - ? WHERE item = ?", age, age, age, age, item)
			if err != nil {
				return err
			}
			_, err = write.ExecContext(ctx, "UPDATE claims SET created_at = created_at - ? WHERE item = ?", age, item)
			return err
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
