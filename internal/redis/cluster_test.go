package redis_test

import (
	"context"
	"math/rand/v2"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/seckill-dev/seckill/internal/contract"
	"github.com/seckill-dev/seckill/internal/redis"
	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/testenv"
)

func TestLentCluster(t *testing.T) {
	t.Parallel()
	c := startCluster(t)
	// The suite's cases run in parallel, after this function: the servers end with the test that waits for them.
	t.Run("keeps the contract", func(t *testing.T) {
		contract.Lent(t, func(t testing.TB) contract.LentFixture {
			t.Helper()
			options := c.options(patient)
			announcements, err := redis.OpenAnnouncements(options)
			fatal(t, err)
			t.Cleanup(func() { check(t, announcements.Close()) })
			return contract.LentFixture{
				Lent: openLent(t, options), Announcements: announcements,
				ForgetScripts: func(t testing.TB) { t.Helper(); c.forgetScripts(t) },
			}
		})
	})
}

func TestClusterNodeIsAway(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]syscall.Signal{"killed": syscall.SIGKILL, "stopped": syscall.SIGSTOP} {
		t.Run("costs the others neither states nor gates when it is "+name, func(t *testing.T) {
			t.Parallel()
			c := startCluster(t)
			lent := openLent(t, c.options(redis.CallTimeoutDefault))
			items, gates := c.items(t, lent, 60)
			gone := lent.Node(t.Context(), items[0])
			c.signal(t, gone, fault)
			start := time.Now()
			states, err := lent.States(t.Context(), items)
			if took := time.Since(start); err == nil || took > 4*redis.CallTimeoutDefault {
				t.Errorf("error %v after %v", err, took)
			}
			c.wantOnlyGone(t, lent, gone, items, states, lent.RenewAll(t.Context(), gates))
		})
	}
}

// wantOnlyGone expects states of, and renewals for, exactly the items that are not on the gone node.
func (*cluster) wantOnlyGone(
	t *testing.T, lent *redis.Lent, gone string, items []seckill.ID, states []seckill.LentState, renewed []error,
) {
	t.Helper()
	for n, item := range items {
		isGone := lent.Node(t.Context(), item) == gone
		if isGone != (renewed[n] != nil) {
			t.Errorf("item %d: on the dead node %v, renewing it: %v", n, isGone, renewed[n])
		}
		if isGone {
			continue
		}
		if len(states) == 0 || states[0].Item != item || !states[0].Live {
			t.Fatalf("item %d is not next among %+v", n, states)
		}
		states = states[1:]
	}
	if len(states) > 0 {
		t.Errorf("states of items that are on the dead node: %+v", states)
	}
}

// cluster is three masters that share all slots.
type cluster struct {
	nodes []clusterNode
}

type clusterNode struct {
	addr, bus string
	process   *exec.Cmd
}

const clusterSize, slots = 3, 16384

func startCluster(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{}
	for range clusterSize {
		c.nodes = append(c.nodes, startClusterNode(t))
	}
	for n, node := range c.nodes {
		client := node.client(t)
		fatal(t, client.ClusterAddSlotsRange(t.Context(), n*slots/clusterSize, (n+1)*slots/clusterSize-1).Err())
		host, port, _ := net.SplitHostPort(c.nodes[0].addr)
		_, bus, _ := net.SplitHostPort(c.nodes[0].bus)
		fatal(t, client.Do(t.Context(), "CLUSTER", "MEET", host, port, bus).Err())
	}
	for _, node := range c.nodes {
		node.awaitAll(t)
	}
	return c
}

// startClusterNode tries once more when somebody else was faster to take one of its ports.
func startClusterNode(t *testing.T) clusterNode {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patient)
	defer cancel()
	for ctx.Err() == nil {
		node := clusterNode{addr: testenv.FreeAddr(t), bus: testenv.FreeAddr(t)}
		if node.start(ctx, t) {
			return node
		}
	}
	t.Fatal("no node of the cluster starts")
	return clusterNode{}
}

// start returns when the node answers, or false when it ends.
func (n *clusterNode) start(ctx context.Context, t *testing.T) bool {
	t.Helper()
	_, port, _ := net.SplitHostPort(n.addr)
	_, bus, _ := net.SplitHostPort(n.bus)
	n.process = exec.Command("redis-server", "--bind", "127.0.0.1", "--port", port, "--dir", t.TempDir(), //nolint:noctx // it outlives t.Context
		"--appendonly", "yes", "--save", "", "--cluster-enabled", "yes", "--cluster-port", bus, "--cluster-node-timeout", "60000",
		"--cluster-require-full-coverage", "no")
	n.process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	fatal(t, n.process.Start())
	ended := make(chan struct{})
	process := n.process
	go func() { _ = process.Wait(); close(ended) }()
	t.Cleanup(func() {
		_ = process.Process.Kill()
		<-ended
	})
	client := n.client(t)
	for client.Ping(ctx).Err() != nil {
		select {
		case <-ended:
			return false
		case <-ctx.Done():
			return false
		case <-time.After(5 * time.Millisecond):
		}
	}
	return true
}

func (n clusterNode) client(t testing.TB) *goredis.Client {
	t.Helper()
	return raw(t, redis.Options{Addresses: []string{n.addr}})
}

// awaitAll waits until the node knows every slot's master.
func (n clusterNode) awaitAll(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patient)
	defer cancel()
	client := n.client(t)
	for {
		info, err := client.ClusterInfo(ctx).Result()
		fatal(t, err)
		if strings.Contains(info, "cluster_state:ok") && strings.Contains(info, "cluster_slots_ok:"+strconv.Itoa(slots)+"\r\n") {
			return
		}
	}
}

func (c *cluster) options(callTimeout time.Duration) redis.Options {
	options := redis.Options{Cluster: true, CallTimeout: callTimeout}
	for _, node := range c.nodes {
		options.Addresses = append(options.Addresses, node.addr)
	}
	return options
}

func (c *cluster) forgetScripts(t testing.TB) {
	t.Helper()
	for _, node := range c.nodes {
		check(t, node.client(t).ScriptFlush(t.Context()).Err())
	}
}

func (c *cluster) signal(t *testing.T, addr string, sig syscall.Signal) {
	t.Helper()
	for _, node := range c.nodes {
		if node.addr == addr {
			fatal(t, node.process.Process.Signal(sig))
			return
		}
	}
	t.Fatalf("no node has the address %q", addr)
}

// items puts some on sale, all over the cluster.
func (c *cluster) items(t *testing.T, lent *redis.Lent, count int) (items []seckill.ID, gates []seckill.Renewal) {
	t.Helper()
	nodes := map[string]int{}
	base := seckill.ID(rand.Int64N(1 << 60))
	for n := range count {
		id := base + seckill.ID(n)
		server, err := lent.Server(t.Context(), id)
		fatal(t, err)
		load := loadOf(server)
		load.Item = id
		gate := seckill.Gate{Item: id, Epoch: epoch, Server: server, Until: server.Now.Add(time.Hour)}
		fatal(t, lent.Load(t.Context(), load))
		fatal(t, lent.Open(t.Context(), gate))
		items, gates = append(items, id), append(gates, renewalOf(gate))
		nodes[lent.Node(t.Context(), id)]++
	}
	if len(nodes) != clusterSize {
		t.Fatalf("%d items are on these nodes: %v", count, nodes)
	}
	return items, gates
}
