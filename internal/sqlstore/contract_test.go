package sqlstore_test

import (
	"strings"
	"testing"

	"github.com/seckill-dev/seckill/internal/contract"
	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sqlstore"
)

func TestCatalogContract(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, open func(t *testing.T) *sqlstore.Store) {
		t.Helper()
		contract.Catalog(t, func(t *testing.T) seckill.Catalog {
			t.Helper()
			return sqlstore.Catalog{Store: open(t)}
		})
	})
}

func TestAccountsContract(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, open func(t *testing.T) *sqlstore.Store) {
		t.Helper()
		contract.Accounts(t, func(t *testing.T) seckill.Accounts {
			t.Helper()
			return sqlstore.Accounts{Store: open(t)}
		})
	})
}

func TestOrdersContract(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, open func(t *testing.T) *sqlstore.Store) {
		t.Helper()
		contract.Orders(t, func(t *testing.T) (seckill.Orders, seckill.Shards) {
			t.Helper()
			store := open(t)
			return sqlstore.Orders{Store: store}, store.Shards()
		})
	})
}

func TestMarksContract(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, open func(t *testing.T) *sqlstore.Store) {
		t.Helper()
		contract.Marks(t, func(t *testing.T) (seckill.Marks, seckill.Shards) {
			t.Helper()
			store := open(t)
			return sqlstore.Marks{Store: store}, store.Shards()
		})
	})
}

func TestOwingContract(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, open func(t *testing.T) *sqlstore.Store) {
		t.Helper()
		contract.Owing(t, func(t *testing.T) contract.OwingFixture {
			t.Helper()
			store := open(t)
			return contract.OwingFixture{
				Owing: sqlstore.Owing{Store: store}, Shards: store.Shards(),
				Owe: func(t *testing.T, shard int, owed ...seckill.Owed) {
					t.Helper()
					oweRows(t, store, shard, owed)
				},
			}
		})
	})
}

func oweRows(t *testing.T, store *sqlstore.Store, shard int, owed []seckill.Owed) {
	t.Helper()
	const row = "(?, ?, ?, ?, ?, ?, ?, ?, 1)"
	var args []any
	for _, o := range owed {
		args = append(args, o.ID, o.Kind, o.Item, o.Epoch, o.User, o.Entry.ID, o.Entry.Quantity, o.Entry.KeyHash)
	}
	edit(t, store, shard, "INSERT INTO outbox (id, kind, item, epoch, user_id, claim, quantity, key_hash, at) VALUES "+
		row+strings.Repeat(", "+row, len(owed)-1), args...)
}
