package sqlstore_test

import (
	"context"
	"testing"

	"github.com/seckill-dev/seckill/internal/contract"
	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sqlstore"
)

func TestArchivesContract(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, open func(t *testing.T) *sqlstore.Store) {
		t.Helper()
		contract.Archives(t, func(t *testing.T) contract.Archive {
			t.Helper()
			store := open(t)
			return contract.Archive{
				Till: till(store), Archives: sqlstore.Archives{Store: store},
				Catalog: sqlstore.Catalog{Store: store}, Marks: sqlstore.Marks{Store: store},
				Tell: func(ctx context.Context, shard int, event seckill.Event) error {
					return tellEvent(ctx, store, shard, event)
				},
			}
		})
	})
}

// tellEvent writes an event as a transaction would.
func tellEvent(ctx context.Context, store *sqlstore.Store, shard int, event seckill.Event) error {
	id, err := store.IDs().Next(event.Subject.Bucket())
	if err != nil {
		return err
	}
	write, _, err := store.SQL(shard)
	if err != nil {
		return err
	}
	_, err = write.ExecContext(ctx, "INSERT INTO events (id, type, subject, version, data, at, spread) VALUES (?, ?, ?, ?, ?, 1, 0)",
		id, string(event.Type), int64(event.Subject), event.Version, string(event.Data))
	return err
}
