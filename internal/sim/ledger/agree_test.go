package ledger_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/contract"
	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sim/ledger"
	"github.com/seckill-dev/seckill/internal/sqlstore"
)

// agreeShards: users of the items' own shard and of another one.
const agreeShards = 2

func TestAgreesWithSQL(t *testing.T) {
	t.Parallel()
	contract.SQLAgree(t, func(t *testing.T) contract.SQL {
		t.Helper()
		return modelOf(ledger.Config{})
	}, openStore)
}

// ofTwoCallers are the lacks that no stream of calls can show, for its calls come one after the other, and why that is so.
func ofTwoCallers() map[ledger.Lack]string {
	return map[ledger.Lack]string{
		ledger.LackOverdueState: "what a timeout finds unpaid stays so until it asks again, unless another comes in between",
		ledger.LackEventLease:   "what is due to one has no other lease, unless another has asked since it was read",
	}
}

func TestEveryLackMakesADifference(t *testing.T) {
	t.Parallel()
	const seedsMax = 2_000
	for _, lack := range ledger.Lacks() {
		if ofTwoCallers()[lack] != "" {
			continue
		}
		t.Run(string(lack), func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(seedsMax) {
				if contract.SQLDiffers(t.Context(), seed, modelOf(ledger.Config{}), modelOf(ledger.Config{Lack: lack})) != "" {
					return
				}
			}
			t.Fatalf("not within %d streams", seedsMax)
		})
	}
}

func TestLacksOfTwoCallersMakeADifference(t *testing.T) {
	t.Parallel()
	for lack, why := range ofTwoCallers() {
		t.Run(string(lack), func(t *testing.T) {
			t.Parallel()
			s := openShop(t, lack)
			if !s.cancelTwice() && s.leaseTwice() != 2 {
				t.Fatal("makes none even then: " + why)
			}
		})
	}
}

func modelOf(config ledger.Config) contract.SQL {
	config.Shards, config.Clock, config.Tells = agreeShards, seckill.SystemClock{}, true
	l := ledger.New(config)
	return contract.SQL{
		Ledger: portsOf(l), Payments: ledger.Payments{Ledger: l}, Marks: ledger.Marks{Ledger: l}, Events: ledger.Events{Ledger: l},
		SetDeadline: func(_ context.Context, item seckill.ID, in time.Duration) error {
			ledger.SetDeadline(l, item, time.Now().Add(in))
			return nil
		},
	}
}

// openStore is SQL itself, in files.
func openStore(t *testing.T) contract.SQL {
	t.Helper()
	folder := t.TempDir()
	store, err := sqlstore.Open(t.Context(), sqlstore.Config{
		Shards: []sqlstore.ShardConfig{{Path: filepath.Join(folder, "0.db")}, {Path: filepath.Join(folder, "1.db")}},
		Tells:  true, Clock: seckill.SystemClock{}, Log: slog.New(slog.DiscardHandler), Alone: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := errors.Join(store.Migrate(t.Context()), store.IDs().Acquire(t.Context())); err != nil {
		t.Fatal(err)
	}
	return contract.SQL{
		Ledger: contract.Ledger{
			Stocks: sqlstore.Stocks{Store: store}, Claims: sqlstore.Claims{Store: store}, Orders: sqlstore.Orders{Store: store},
			Returns: sqlstore.Stocks{Store: store}, Adjustments: sqlstore.Stocks{Store: store},
			Books: sqlstore.Books{Store: store}, Owing: sqlstore.Owing{Store: store}, Shards: store.Shards(), IDs: store.IDs(),
			Elapse: elapse(store),
		},
		Payments: sqlstore.Payments{Store: store}, Marks: sqlstore.Marks{Store: store}, Events: sqlstore.Events{Store: store},
		SetDeadline: setDeadline(store),
	}
}

// elapse leaves alone what has not happened yet.
func elapse(store *sqlstore.Store) func(ctx context.Context, item seckill.ID, passed time.Duration) error {
	return func(ctx context.Context, item seckill.ID, passed time.Duration) error {
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
}

func setDeadline(store *sqlstore.Store) func(ctx context.Context, item seckill.ID, in time.Duration) error {
	return func(ctx context.Context, item seckill.ID, in time.Duration) error {
		for shard := range store.Shards().Count() {
			write, _, err := store.SQL(shard)
			if err == nil {
				err = setDeadlines(ctx, write, item, time.Now().Add(in))
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
}

func setDeadlines(ctx context.Context, write *sql.DB, item seckill.ID, payBy time.Time) error {
	for table := range 16 {
		_, err := write.ExecContext(ctx, fmt.Sprintf("UPDATE orders_%02d SET pay_by = ? WHERE item = ?", table), payBy.UnixMilli(), item)
		if err != nil {
			return err
		}
	}
	return nil
}
