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
	n := node{Redis: server, lent: openLent(t, options), raw: raw(t, options)}
	// With everysec even kill -9 may take what was answered: a write waits for the fsync that is under way.
	fatal(t, n.raw.ConfigSet(t.Context(), "appendfsync", "always").Err())
	return n
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

// synced waits until the replica has what was written. WAIT only waits for what its own connection wrote last.
func (n node) synced(t *testing.T) {
	t.Helper()
	conn := n.raw.Conn()
	defer func() { check(t, conn.Close()) }()
	fatal(t, conn.Set(t.Context(), "written", "last", 0).Err())
	got, err := conn.Do(t.Context(), "WAIT", 1, patient.Milliseconds()).Int()
	fatal(t, err)
	if got < 1 {
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
