package contract

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// numbers makes the ids of one test, growing, in any bucket.
type numbers struct{ made int64 }

func (n *numbers) next(bucket int) seckill.ID {
	n.made++
	return seckill.ComposeID(1_800_000_000_000+n.made, bucket, 0, 0)
}

// race calls do from several goroutines at once and tells how often it said true. Passing failures are repeated, as
// every caller of a store does.
func race(t *testing.T, callers int, do func(caller int) (bool, error)) int {
	t.Helper()
	var (
		start = make(chan struct{})
		wait  sync.WaitGroup
		won   atomic.Int64
	)
	for caller := range callers {
		wait.Go(func() {
			<-start
			done, err := repeated(func() (bool, error) { return do(caller) })
			if err != nil {
				t.Error(err)
			}
			if done {
				won.Add(1)
			}
		})
	}
	close(start)
	wait.Wait()
	return int(won.Load())
}

// repeated calls do until it does not fail for a passing reason.
func repeated(do func() (bool, error)) (bool, error) {
	done, err := do()
	for errors.Is(err, seckill.ErrTransient) {
		done, err = do()
	}
	return done, err
}

// userOn is a user whose orders live on a shard; different numbers are different users.
func userOn(shards seckill.Shards, shard, number int) seckill.UserID {
	for try := 0; ; try++ {
		user := seckill.UserID(fmt.Sprintf("user-%d-%d", number, try))
		if seckill.UserShard(shards, user) == shard {
			return user
		}
	}
}

// bucketOn is a bucket of a shard.
func bucketOn(shards seckill.Shards, shard int) int {
	for bucket := range seckill.Buckets {
		if shards.Shard(bucket) == shard {
			return bucket
		}
	}
	return -1
}

const patience = 10 * time.Second

// eventually polls until done says so.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	deadline := time.After(patience)
	for tick := time.NewTicker(5 * time.Millisecond); !done(); {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// must stops the test on an error.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wantMissing wants seckill.ErrNotFound.
func wantMissing(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, seckill.ErrNotFound) {
		t.Fatalf("want %v, got %v", seckill.ErrNotFound, err)
	}
}
