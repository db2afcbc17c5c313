package purchase_test

import (
	"sync"
	"testing"

	"github.com/seckill-dev/seckill/internal/seckill"
)

func TestDiscover(t *testing.T) {
	t.Parallel()
	t.Run("serves the first shoppers of a sale that is younger than the cache", func(t *testing.T) {
		t.Parallel()
		w := prepare(t, 100)
		var preloaded []seckill.Item
		w.sql.set(func(f *fakeSQL) { preloaded, f.sale.Items = f.sale.Items, nil })
		w.start()
		w.sql.set(func(f *fakeSQL) { f.sale.Items = preloaded })
		// No time passes: nothing but these requests can have brought the item in.
		var all sync.WaitGroup
		for _, user := range []seckill.UserID{"ann", "bob", "cat", "dan", "eve", "fay"} {
			all.Go(func() {
				if _, err := w.buy(user, 1, ""); err != nil {
					t.Errorf("%s: %v", user, err)
				}
			})
		}
		all.Wait()
	})
}
