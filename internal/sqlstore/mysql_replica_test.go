package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/contract"
	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sqlstore"
	"github.com/seckill-dev/seckill/internal/testenv"
)

// lagging describes a store whose one shard has a replica that never hears of anything: an empty database.
func lagging(t *testing.T) sqlstore.Config {
	t.Helper()
	c := mariadbConfig(t, 1)
	c.Shards[0].MySQL.Replicas = []string{mariadbConfig(t, 1).Shards[0].MySQL.DSN}
	return c
}

// Whatever a shopper looks at and whatever is decided on comes from the primary: with a replica that lags for ever, all
// suites hold. The two lists that may lag are those of the test below.
func TestMySQLReplicaThatLagsShowsNobodyLess(t *testing.T) {
	t.Parallel()
	for name, suite := range map[string]func(*testing.T, func(*testing.T) contract.Ledger){
		"stocks": contract.Stocks, "settle": contract.Settle, "claims": contract.Claims, "books": contract.Books,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			suite(t, func(t *testing.T) contract.Ledger {
				t.Helper()
				return ledger(leased(t, lagging(t)))
			})
		})
	}
	t.Run("marks", func(t *testing.T) {
		t.Parallel()
		contract.Marks(t, func(t *testing.T) (seckill.Marks, seckill.Shards) {
			t.Helper()
			store := leased(t, lagging(t))
			return sqlstore.Marks{Store: store}, store.Shards()
		})
	})
	t.Run("accounts", func(t *testing.T) {
		t.Parallel()
		contract.Accounts(t, func(t *testing.T) seckill.Accounts {
			t.Helper()
			return sqlstore.Accounts{Store: leased(t, lagging(t))}
		})
	})
}

// replicaDelay is by how much the replica of the next test is behind.
const replicaDelay = 2 * time.Second

// What a shopper was told is there at once and stays there, two seconds before a replica has it; the figures of a sale
// follow. (Suites above: with a replica that never hears of anything every port holds what it promises.)
func TestMySQLReplicaTwoSecondsBehind(t *testing.T) {
	t.Parallel()
	primary, replica := testenv.StartMariaDBPair(t, replicaDelay)
	dsn := primary.Database(t)
	c := serverConfig(dsn)
	if err := open(t, c).Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.Shards[0].MySQL.Replicas = []string{replica.Copy(t, dsn)}
	soon(t, "the replica never got its tables", func() bool {
		copied, err := sql.Open("mysql", c.Shards[0].MySQL.Replicas[0])
		if err != nil {
			return false
		}
		defer func() { _ = copied.Close() }()
		var shard string // written when all tables are there
		return copied.QueryRowContext(t.Context(), "SELECT value FROM topology WHERE name = 'shard'").Scan(&shard) == nil
	})
	b := newBench(t, leased(t, c), 10, 10)
	began := time.Now()
	if err := b.purchase(t.Context(), b.message(t, 1)); err != nil {
		t.Fatal(err)
	}
	b.wantShown(t)
	if counted := b.counted(t); counted != 0 {
		t.Fatalf("the figures were not read on the replica: %d orders", counted)
	}
	soon(t, "the replica never heard of the order", func() bool {
		b.wantShown(t)
		return b.counted(t) == 1
	})
	if behind := time.Since(began); behind < replicaDelay/2 {
		t.Fatalf("the replica was only %v behind", behind)
	}
}

// wantShown wants everything that the buyer of the first unit may look at to be there.
func (b *bench) wantShown(t *testing.T) {
	t.Helper()
	user := b.user(0)
	orders, err := b.Orders.OfUser(t.Context(), seckill.OrderQuery{User: user, Limit: 10})
	if err != nil || len(orders) != 1 {
		t.Fatalf("the shopper's list has %d orders, %v", len(orders), err)
	}
	_, err = b.Orders.Find(t.Context(), orders[0].ID)
	claims, mine := b.Claims.OfUser(t.Context(), b.item, user)
	found, one := b.Claims.Find(t.Context(), b.item, []seckill.ID{orders[0].ID})
	if err = errors.Join(err, mine, one); err != nil || len(claims) != 1 || !claims[0].Ordered || len(found) != 1 || !found[0].Ordered {
		t.Fatalf("got %+v and %+v, %v", claims, found, err)
	}
}

// A replica that hangs costs one reader a second; then the primary is asked until the replica had its rest.
func TestMySQLReplicaThatHangs(t *testing.T) {
	t.Parallel()
	c := mariadbConfig(t, 1)
	frozen := testenv.StartMariaDB(t)
	c.Shards[0].MySQL.Replicas = []string{frozen.Database(t)}
	b := newBench(t, leased(t, c), 10, 10)
	if err := b.purchase(t.Context(), b.message(t, 3)); err != nil {
		t.Fatal(err)
	}
	frozen.Stop(t)
	began := time.Now()
	for range 20 {
		if counted := b.counted(t); counted != 3 {
			t.Fatalf("counted %d of 3 orders", counted)
		}
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Fatalf("20 readers waited for %v", took)
	}
}

// A sale goes on without its replicas.
func TestMySQLReplicaAway(t *testing.T) {
	t.Parallel()
	c := mariadbConfig(t, 1)
	c.Shards[0].MySQL.Replicas = []string{"nobody:secret@tcp(127.0.0.1:1)/nowhere"}
	b := newBench(t, leased(t, c), 10, 10)
	if err := b.purchase(t.Context(), b.message(t, 3)); err != nil {
		t.Fatal(err)
	}
	if counted := b.counted(t); counted != 3 {
		t.Fatalf("counted %d of 3 orders", counted)
	}
}

// counted is how many unpaid orders the figures of the sale show.
func (b *bench) counted(t *testing.T) int64 {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	count, err := b.Orders.Count(ctx, 0, b.item)
	if err = errors.Join(err, ctx.Err()); err != nil {
		t.Fatal(err)
	}
	return count[seckill.OrderUnpaid].Orders
}
