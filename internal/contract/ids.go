package contract

import (
	"sync"
	"testing"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// IDs is the suite of seckill.IDs. open returns two generators of one system, as two processes would have them.
func IDs(t *testing.T, open func(t *testing.T) (one, other seckill.IDs)) {
	t.Helper()
	t.Run("makes positive ids that carry their bucket", func(t *testing.T) {
		t.Parallel()
		ids, _ := open(t)
		for _, bucket := range []int{0, 1, 511, seckill.Buckets - 1} {
			id, err := ids.Next(bucket)
			if err != nil || id <= 0 || id.Bucket() != bucket {
				t.Fatalf("bucket %d: got %d of bucket %d, %v", bucket, id, id.Bucket(), err)
			}
		}
	})
	t.Run("refuses a bucket that does not exist", func(t *testing.T) {
		t.Parallel()
		ids, _ := open(t)
		for _, bucket := range []int{-1, seckill.Buckets} {
			if id, err := ids.Next(bucket); err == nil {
				t.Fatalf("bucket %d: got %d", bucket, id)
			}
		}
	})
	t.Run("makes growing ids in one bucket", func(t *testing.T) {
		t.Parallel()
		ids, _ := open(t)
		var last seckill.ID
		for range 1000 {
			id, err := ids.Next(7)
			if err != nil || id <= last {
				t.Fatalf("got %d after %d, %v", id, last, err)
			}
			last = id
		}
	})
	t.Run("peers: no id collisions: never makes an id twice, by many callers of two processes", func(t *testing.T) {
		t.Parallel()
		one, other := open(t)
		unique(t, drawMany(t, one, other))
	})
}

// drawMany draws ids of a few buckets from several goroutines at once.
func drawMany(t *testing.T, generators ...seckill.IDs) []seckill.ID {
	t.Helper()
	const callers, each, buckets = 4, 500, 3
	var (
		wait  sync.WaitGroup
		lock  sync.Mutex
		drawn []seckill.ID
	)
	for _, ids := range generators {
		for range callers {
			wait.Go(func() {
				mine := make([]seckill.ID, 0, each)
				for i := range each {
					id, err := ids.Next(i % buckets)
					if err != nil {
						t.Error(err)
						return
					}
					mine = append(mine, id)
				}
				lock.Lock()
				defer lock.Unlock()
				drawn = append(drawn, mine...)
			})
		}
	}
	wait.Wait()
	return drawn
}

func unique(t *testing.T, drawn []seckill.ID) {
	t.Helper()
	seen := make(map[seckill.ID]bool, len(drawn))
	for _, id := range drawn {
		if seen[id] {
			t.Fatalf("id %d was made twice", id)
		}
		seen[id] = true
	}
}
