package sqlstore_test

import (
	"context"
	"database/sql"
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
		"books": contract.Books, "settle in a crowd": contract.SettleCrowd,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onShards(t, func(t *testing.T, shards int) {
				t.Helper()
				suite(t, func(t *testing.T) contract.Ledger {
					t.Helper()
					return ledger(openStore(t, shards))
				})
			})
		})
	}
}

func TestLedgerInvariants(t *testing.T) {
	t.Parallel()
	contract.SettleRandom(t, func(t *testing.T) contract.Ledger {
		t.Helper()
		return ledger(openStore(t, 1))
	})
}

func ledger(store *sqlstore.Store) contract.Ledger {
	return contract.Ledger{
		Stocks: sqlstore.Stocks{Store: store}, Claims: sqlstore.Claims{Store: store}, Orders: sqlstore.Orders{Store: store},
		Books: sqlstore.Books{Store: store}, Owing: sqlstore.Owing{Store: store}, Shards: store.Shards(), IDs: store.IDs(),
		Elapse: func(ctx context.Context, item seckill.ID, passed time.Duration) error {
			write, _, err := store.SQL(seckill.HomeShard(store.Shards(), item))
			if err != nil {
				return err
			}
			for _, statement := range []string{
				"UPDATE stock SET since = since - @age, progress = progress - @age, claimed_at = claimed_at - @age, " +
					"sealed_at = sealed_at - @age WHERE item = @item",
				"UPDATE claims SET created_at = created_at - @age WHERE item = @item",
			} {
				_, err := write.ExecContext(ctx, statement, sql.Named("age", passed.Milliseconds()), sql.Named("item", item))
				if err != nil {
					return err
				}
			}
			return nil
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
