package redis_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/redis"
	"github.com/seckill-dev/seckill/internal/seckill"
)

func TestUnavailableMeansNothingWasDone(t *testing.T) {
	t.Parallel()

	t.Run("when nobody listens", func(t *testing.T) {
		t.Parallel()
		n := startNode(t)
		n.sell(t)
		n.Kill(t)
		unavailable(t, n.reserve(t.Context(), 200))
		_, err := n.lent.States(t.Context(), []seckill.ID{item})
		unavailable(t, err)
		n.Restart(t)
		if s := n.state(t); s.Sold != 1 { // and the client finds its way back
			t.Errorf("state %+v", s)
		}
	})

	t.Run("when the context has ended before", func(t *testing.T) {
		t.Parallel()
		n := startNode(t)
		n.sell(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		unavailable(t, n.reserve(ctx, 200))
		if s := n.state(t); s.Sold != 1 {
			t.Errorf("state %+v", s)
		}
	})

	t.Run("when the server is a replica", func(t *testing.T) {
		t.Parallel()
		a, b := startNode(t), startNode(t)
		gate := a.sell(t)
		b.follow(t, a)
		unavailable(t, b.lent.Renew(t.Context(), renewalOf(gate)))
	})

	t.Run("when the password is wrong", func(t *testing.T) {
		t.Parallel()
		for _, password := range []string{"", "guessed"} {
			options := embedded(t).Options()
			options.Password = password
			_, err := openLent(t, options).Server(t.Context(), item)
			unavailable(t, err)
		}
	})
}

func TestALostReplyIsUnknownAndNotRepeated(t *testing.T) {
	t.Parallel()

	t.Run("when reserving", func(t *testing.T) {
		t.Parallel()
		n := startNode(t)
		n.sell(t)
		n.freeze(t, func(hasty node) error { return hasty.reserve(t.Context(), 200) })
		n.becomes(t, "2 sold", func() bool { return n.state(t).Sold == 2 })
		// What an api does next: the same ids in a new batch.
		reply, err := n.lent.Reserve(t.Context(), item, 300, []seckill.ReserveRequest{{ID: 201, User: "ann", Quantity: 1, KeyHash: "201"}})
		fatal(t, err)
		if got := reply.Outcomes[0]; got.Code != seckill.ReserveUnsent || got.Batch != 200 || reply.Sold != 2 {
			t.Errorf("reply %+v", reply)
		}
	})

	// Due counts how often it is carried out.
	t.Run("when asking what is due", func(t *testing.T) {
		t.Parallel()
		n := startNode(t)
		n.sell(t)
		due := func(n node) error {
			_, err := n.lent.Due(t.Context(), item, everything())
			return err
		}
		fatal(t, due(n)) // so that the server knows the script
		n.freeze(t, due)
		tries := func() int {
			entries, err := n.lent.Outbox(t.Context(), item, 0, 10)
			fatal(t, err)
			return entries[0].Tries
		}
		n.becomes(t, "tried", func() bool { return tries() > 1 })
		fatal(t, n.reserve(t.Context(), 200))
		if got := tries(); got != 2 {
			t.Errorf("tried %d times", got)
		}
	})
}

// A leak would take every connection in the end, and whoever waits for one in vain would be told of an empty shop by others.
func TestPeersNoFalseSoldOutByLeakedConnections(t *testing.T) {
	t.Parallel()
	const calls = 200 // more than there are connections
	n := startNode(t)
	n.sell(t)
	hasty := n
	hasty.lent = openLent(t, redis.Options{Addresses: []string{n.Addr()}})
	n.Stop(t)
	var all sync.WaitGroup
	for range calls {
		all.Go(func() {
			if states, err := hasty.lent.States(t.Context(), []seckill.ID{item}); err == nil {
				t.Errorf("a server that stands still says %+v", states)
			}
		})
	}
	all.Wait()
	n.Continue(t)
	for range calls {
		n.becomes(t, "an answer", func() bool {
			states, err := hasty.lent.States(t.Context(), []seckill.ID{item})
			return err == nil && states[0].Available == 9
		})
	}
}

// freeze makes one call, with the product's time-outs, to a server that receives it and does not answer.
func (n node) freeze(t *testing.T, call func(hasty node) error) {
	t.Helper()
	hasty := n
	hasty.lent = openLent(t, redis.Options{Addresses: []string{n.Addr()}})
	_, err := hasty.lent.Server(t.Context(), item) // has a connection now
	fatal(t, err)
	n.Stop(t)
	start := time.Now()
	err = call(hasty)
	if err == nil || errors.Is(err, seckill.ErrUnavailable) || errors.Is(err, seckill.ErrNotLive) {
		t.Errorf("error %v, want an unknown outcome", err)
	}
	if took := time.Since(start); took > patient/2 {
		t.Errorf("the caller waited %v", took)
	}
	n.Continue(t)
}

func (n node) becomes(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patient); !done(); {
		if time.Now().After(deadline) {
			t.Fatalf("not %s after %v", what, patient)
		}
	}
}

func unavailable(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, seckill.ErrUnavailable) {
		t.Errorf("error %v, want unavailable", err)
	}
}

func TestOpenLentRefusesOptionsThatContradict(t *testing.T) {
	t.Parallel()
	for name, options := range map[string]redis.Options{
		"no address":           {},
		"two servers":          {Addresses: []string{"a:1", "b:1"}},
		"a cluster's database": {Addresses: []string{"a:1"}, Cluster: true, DB: 1},
		"half an identity":     {Addresses: []string{"a:1"}, FixedIdentity: redis.Identity{RunID: "only"}},
	} {
		if _, err := redis.OpenLent(options); err == nil {
			t.Errorf("took %s", name)
		}
	}
}

// everything asks for whatever is unsent.
func everything() seckill.DueQuery {
	return seckill.DueQuery{UnsentFor: time.Microsecond, TriesMax: 20, Max: 10}
}
