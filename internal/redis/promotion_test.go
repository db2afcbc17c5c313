package redis_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/seckill-dev/seckill/internal/redis"
	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/testenv"
)

const (
	item    = seckill.ID(1<<61 + 7)
	epoch   = int64(3)
	patient = 10 * time.Second
)

// node is a private server with a connection of each kind.
type node struct {
	*testenv.Redis
	lent *redis.Lent
	raw  *goredis.Client
}

func startNode(t *testing.T) node {
	t.Helper()
	server := testenv.StartRedis(t)
	options := redis.Options{Addresses: []string{server.Addr()}, CallTimeout: patient}
	return node{Redis: server, lent: openLent(t, options), raw: raw(t, options)}
}

// sell puts the item on sale for an hour, with its gate renewed once.
func (n node) sell(t *testing.T) seckill.Gate {
	t.Helper()
	server, err := n.lent.Server(t.Context(), item)
	fatal(t, err)
	load := loadOf(server)
	gate := seckill.Gate{Item: item, Epoch: epoch, Server: server, Until: server.Now.Add(time.Hour)}
	fatal(t, n.lent.Load(t.Context(), load))
	fatal(t, n.lent.Open(t.Context(), gate))
	fatal(t, n.lent.Renew(t.Context(), renewalOf(gate)))
	fatal(t, n.reserve(t.Context(), 100))
	return gate
}

func loadOf(server seckill.Server) seckill.Load {
	return seckill.Load{
		Item: item, Epoch: epoch, Attempt: 1, Issue: 1, Available: 10, Limit: 5, Version: 1,
		OpensAt: server.Now.Add(-time.Hour), ClosesAt: server.Now.Add(time.Hour),
	}
}

func renewalOf(gate seckill.Gate) seckill.Renewal {
	now := gate.Server.Now
	return seckill.Renewal{Gate: gate, Version: 1, Limit: 5, OpensAt: now.Add(-time.Hour), ClosesAt: now.Add(time.Hour)}
}

// reserve asks for one unit in batch id, reservation id+1.
func (n node) reserve(ctx context.Context, id seckill.ID) error {
	_, err := n.lent.Reserve(ctx, item, id, []seckill.ReserveRequest{{ID: id + 1, User: "ann", Quantity: 1, KeyHash: (id + 1).String()}})
	return err
}

func (n node) state(t *testing.T) seckill.LentState {
	t.Helper()
	states, err := n.lent.States(t.Context(), []seckill.ID{item})
	fatal(t, err)
	return states[0]
}

// refuses expects that the node knows the item and sells nothing, whoever renews.
func (n node) refuses(t *testing.T, former seckill.Gate) {
	t.Helper()
	s := n.state(t)
	if !s.Known || !s.Opened || s.Live || s.Sold != 1 {
		t.Fatalf("state %+v, want the item as it was, not live", s)
	}
	mine := former
	mine.Server = s.Server
	if err := n.lent.Renew(t.Context(), renewalOf(mine)); !errors.Is(err, seckill.ErrNotLive) {
		t.Errorf("renewing for this server: %v", err)
	}
	if err := n.lent.Open(t.Context(), mine); !errors.Is(err, seckill.ErrNotLive) {
		t.Errorf("opening again: %v", err)
	}
	if err := n.reserve(t.Context(), 200); !errors.Is(err, seckill.ErrNotLive) {
		t.Errorf("reserving: %v", err)
	}
}

// follow makes n a replica of master and waits until it has everything.
func (n node) follow(t *testing.T, master node) {
	t.Helper()
	host, port, err := net.SplitHostPort(master.Addr())
	fatal(t, err)
	fatal(t, master.raw.ConfigSet(t.Context(), "repl-diskless-sync-delay", "0").Err())
	fatal(t, n.raw.ReplicaOf(t.Context(), host, port).Err())
	n.await(t, "replication", "master_link_status:up")
	master.synced(t)
}

// synced waits until the replica has what was written.
func (n node) synced(t *testing.T) {
	t.Helper()
	got, err := n.raw.Do(t.Context(), "WAIT", 1, 10_000).Int()
	fatal(t, err)
	if got != 1 {
		t.Fatalf("%d replicas have followed", got)
	}
}

func (n node) promote(t *testing.T) {
	t.Helper()
	fatal(t, n.raw.ReplicaOf(t.Context(), "NO", "ONE").Err())
}

func (n node) await(t *testing.T, section, line string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patient)
	defer cancel()
	for {
		info, err := n.raw.Info(ctx, section).Result()
		fatal(t, err)
		if strings.Contains(info, line+"\r\n") {
			return
		}
	}
}

// hasGate looks past the adapter: the gate's very key.
func (n node) hasGate(t *testing.T) bool {
	t.Helper()
	found, err := n.raw.Keys(t.Context(), "*gate").Result()
	fatal(t, err)
	return len(found) > 0
}

func fatal(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Trap 8: a server that was not there when the gate was made must not have it.
func TestGateStaysOnItsServer(t *testing.T) {
	t.Parallel()

	t.Run("it is not in the append-only file", func(t *testing.T) {
		t.Parallel()
		n := startNode(t)
		gate := n.sell(t)
		n.Restart(t)
		if n.hasGate(t) {
			t.Error("the gate came back")
		}
		n.refuses(t, gate)
	})

	t.Run("a rewritten append-only file copies it in vain", func(t *testing.T) {
		t.Parallel()
		n := startNode(t)
		gate := n.sell(t)
		fatal(t, n.raw.BgRewriteAOF(t.Context()).Err())
		n.await(t, "persistence", "aof_rewrite_in_progress:0")
		n.Restart(t)
		if !n.hasGate(t) {
			t.Error("the gate was not copied: this test shows nothing")
		}
		n.refuses(t, gate)
	})

	t.Run("it does not reach a replica", func(t *testing.T) {
		t.Parallel()
		a, b := startNode(t), startNode(t)
		b.follow(t, a)
		gate := a.sell(t)
		a.synced(t)
		if b.hasGate(t) {
			t.Error("the gate was replicated")
		}
		b.promote(t)
		b.refuses(t, gate)
	})

	t.Run("a full sync copies it in vain", func(t *testing.T) {
		t.Parallel()
		a, b := startNode(t), startNode(t)
		gate := a.sell(t)
		b.follow(t, a)
		if !b.hasGate(t) {
			t.Error("the gate was not copied: this test shows nothing")
		}
		b.promote(t)
		b.refuses(t, gate)
	})

	// Trap 27: A -> B -> A brings the run id back, with what B made of the data.
	t.Run("going there and back makes another replication id", func(t *testing.T) {
		t.Parallel()
		a, b := startNode(t), startNode(t)
		gate := a.sell(t)
		b.follow(t, a)
		b.promote(t)
		a.follow(t, b)
		a.promote(t)
		if s := a.state(t); s.GateRunID != s.Server.RunID || s.GateReplicationID == s.Server.ReplicationID {
			t.Errorf("state %+v: this test shows nothing", s)
		}
		a.refuses(t, gate)
	})

	// Redis begins a new replication history with its first replica: one more rebuild than needed, never one too few.
	t.Run("the first replica ends it, further ones do not", func(t *testing.T) {
		t.Parallel()
		a, b, c := startNode(t), startNode(t), startNode(t)
		gate := a.sell(t)
		b.follow(t, a)
		a.refuses(t, gate)

		load := loadOf(a.state(t).Server)
		load.Epoch++
		gate.Epoch, gate.Server = load.Epoch, a.state(t).Server
		fatal(t, a.lent.Load(t.Context(), load))
		fatal(t, a.lent.Open(t.Context(), gate))
		c.follow(t, a)
		fatal(t, a.reserve(t.Context(), 200))
	})
}
