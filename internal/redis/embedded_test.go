package redis_test

import (
	"errors"
	"testing"

	"github.com/seckill-dev/seckill/internal/redis"
	"github.com/seckill-dev/seckill/internal/seckill"
)

func TestEmbedded(t *testing.T) {
	t.Parallel()

	t.Run("is another server each time", func(t *testing.T) {
		t.Parallel()
		a, b := embedded(t), embedded(t)
		if a.Options().FixedIdentity == b.Options().FixedIdentity || a.Options().Password == b.Options().Password {
			t.Error("two of them share identity or password")
		}
	})

	t.Run("lets nobody in without its password", func(t *testing.T) {
		t.Parallel()
		options := embedded(t).Options()
		options.Password = ""
		if err := raw(t, options).Set(t.Context(), "x", "1", 0).Err(); err == nil {
			t.Error("a stranger may write")
		}
	})

	t.Run("is not live any more once it is emptied", func(t *testing.T) {
		t.Parallel()
		e := embedded(t)
		n := node{lent: e.Lent}
		gate := n.sell(t)
		e.FlushAll()
		if s := n.state(t); s.Known || s.Live {
			t.Errorf("state %+v", s)
		}
		for what, err := range map[string]error{
			"reserve": n.reserve(t.Context(), 200),
			"renew":   e.Lent.Renew(t.Context(), renewalOf(gate)),
			"open":    e.Lent.Open(t.Context(), gate),
		} {
			if !errors.Is(err, seckill.ErrNotLive) {
				t.Errorf("%s: %v", what, err)
			}
		}
	})

	t.Run("is unavailable once it is closed", func(t *testing.T) {
		t.Parallel()
		e, err := redis.OpenEmbedded(t.Context())
		fatal(t, err)
		fatal(t, e.Close())
		_, err = e.Lent.Server(t.Context(), item)
		unavailable(t, err)
	})
}

func embedded(t testing.TB) *redis.Embedded {
	t.Helper()
	e, err := redis.OpenEmbedded(t.Context())
	fatal(t, err)
	t.Cleanup(func() { check(t, e.Close()) })
	return e
}
