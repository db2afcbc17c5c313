package app_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/testenv"
	"github.com/seckill-dev/seckill/internal/testenv/fleet"
	"github.com/seckill-dev/seckill/internal/testenv/server"
)

// wayTo is a path to a Redis that can be led to another one: nobody who uses it has to know.
type wayTo struct {
	t    *testing.T
	at   string
	undo []func()
}

// path is a test that ends when its way does.
type path struct {
	testing.TB
	way *wayTo
}

// Cleanup keeps what ends the path.
func (p path) Cleanup(end func()) { p.way.undo = append(p.way.undo, end) }

func newWay(t *testing.T) *wayTo {
	t.Helper()
	w := &wayTo{t: t, at: testenv.FreeAddr(t)}
	t.Cleanup(w.end)
	return w
}

// leads cuts every connection, and takes new ones to another server.
func (w *wayTo) leads(target string) {
	w.t.Helper()
	w.end()
	testenv.StartProxyAt(path{w.t, w}, w.at, target)
}

func (w *wayTo) end() {
	for _, end := range w.undo {
		end()
	}
	w.undo = nil
}

// wakeFor is longer than any gate.
const wakeFor = 3 * time.Second

// TestFleetZombie freezes the Redis that sells, promotes its replica, and wakes the old one up while an api still talks to
// it and to nobody else: it sells nothing more, and nobody whom it has promised something is forgotten.
func TestFleetZombie(t *testing.T) {
	t.Parallel()
	straggler, others := newWay(t), newWay(t)
	f := redisFleet{distributed: openFleet(t, func(c *fleet.Config) {
		plain := c.Command
		c.Command = func(node fleet.Node) fleet.Command {
			command, way := plain(node), others
			if node.Name() == "api-0" {
				way = straggler
			}
			command.Env = append(command.Env, redisVariable+"="+way.at)
			return command
		}
	})}
	primary := f.Redis.Addr()
	replica := testenv.StartRedis(t)
	replica.ReplicaOf(t, primary)
	straggler.leads(primary)
	others.leads(primary)
	f.config.Redis.Addresses = []string{others.at}
	f.launch()
	f.stores = f.openStores()
	s := f.begin(t)
	s.open()

	s.must(s.Redis.Stop())
	s.wave(restShoppers)
	replica.Promote(t)
	others.leads(replica.Addr())
	s.await("a later epoch sells", func() bool { state := s.lent(); return state.Epoch > s.epoch && state.Sold > 0 })
	s.must(s.Redis.Continue())
	sold := s.soldBy(primary)
	<-time.After(wakeFor) // the fault itself, not a wait for a state: shoppers ask the straggler all the time
	if now := s.soldBy(primary); now != sold {
		t.Errorf("the old primary has sold %s, and %s since it woke up", sold, now)
	}
	straggler.leads(replica.Addr())
	s.end()
}

// soldBy is what a Redis says that it has sold in its epoch.
func (s *faultySale) soldBy(address string) string {
	s.t.Helper()
	sold, err := server.Ask(s.t.Context(), address, "HGET", fmt.Sprintf("seckill:{%s}:meta", s.item), "sold")
	s.must(err)
	return sold
}
