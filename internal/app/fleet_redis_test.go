package app_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/app"
	"github.com/seckill-dev/seckill/internal/crowd"
	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/testenv"
	"github.com/seckill-dev/seckill/internal/testenv/fleet"
)

const (
	faultUnits = 900
	// faultShoppers come to each api in a wave, restShoppers in the last one; half of them ask for two. However late a fault is,
	// the waves before it cannot buy everything; the last one can.
	faultShoppers = 100
	restShoppers  = 300
	faultSpread   = 4 * time.Second
	faultSold     = 40 // what counts as selling
	// sellsWithin is how soon after Redis answers a rebuilt epoch must sell, resumesWithin how soon the same one.
	sellsWithin   = 15 * time.Second
	resumesWithin = 5 * time.Second
	// cutBytes is some seconds of what Redis writes, and ends within a command.
	cutBytes = 20_001
)

// redisFleet is a fleet with a view on its stores past its processes. One sale at a time is under test.
type redisFleet struct {
	*distributed
	stores *app.Backend
}

// faultySale is one sale of a redis fleet, of one item, to which shoppers come in waves: the next one when it is needed.
type faultySale struct {
	redisFleet
	item  seckill.ID
	epoch int64 // the one it began to sell in
	done  []<-chan crowdResult
}

// TestFleetRedis loses Redis in the middle of a sale in every way, one sale after the other: the sale goes on by itself,
// everybody who was told queued gets an order, and everything adds up.
func TestFleetRedis(t *testing.T) {
	t.Parallel()
	f := redisFleet{distributed: startFleet(t)}
	f.stores = f.openStores()
	for _, it := range []struct {
		does string
		test func(s *faultySale)
	}{
		{"goes on with the same epoch after redis stood still for 5 s", resumesAfterAPause},
		{"sells on after FLUSHALL", func(s *faultySale) { s.loses(func() { s.must(s.Redis.Wipe(s.t.Context())) }) }},
		{"sells on after redis was killed and came back empty", func(s *faultySale) {
			s.loses(func() { s.must(s.Redis.RestartEmpty(s.t.Context())) })
		}},
		{"sells on after redis came back with an old snapshot", sellsOnAfterAnOldSnapshot},
		{"sells on after redis was killed and came back with everything", func(s *faultySale) {
			s.loses(func() { s.must(s.Redis.Restart(s.t.Context())) })
		}},
		{"sells on after redis lost the end of its file in the middle of a write", func(s *faultySale) {
			s.loses(func() { s.must(s.Redis.RestartCut(s.t.Context(), cutBytes)) })
		}},
		{"sells on after a stale replica was promoted", sellsOnAfterAPromotion},
		// The last one: the marks of a killed api are missing for a minute, and a seal in that time waits for 20 s of silence.
		{"costs no epoch when units come back for sale and api processes are killed", losesNoEpoch},
	} {
		t.Run(it.does, func(t *testing.T) { it.test(f.begin(t)) })
	}
}

// openStores opens the fleet's stores as one more process.
func (f redisFleet) openStores() *app.Backend {
	f.t.Helper()
	config := f.config
	config.AdminListen = "127.0.0.1:0"
	system, err := app.Open(f.t.Context(), config, app.OnlyKeeper(), slog.New(slog.DiscardHandler))
	f.must(err)
	f.t.Cleanup(func() { f.must(system.Close()) })
	return system.Backend
}

func (f redisFleet) must(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

// begin makes a sale for one test. The crowd comes with open.
func (f redisFleet) begin(t *testing.T) *faultySale {
	t.Helper()
	of := *f.distributed
	of.t = t
	return &faultySale{redisFleet: redisFleet{&of, f.stores}}
}

// open puts the sale on and opens the doors.
func (s *faultySale) open() {
	s.t.Helper()
	s.putOn()
	s.openDoors()
}

func (s *faultySale) putOn() {
	s.t.Helper()
	s.create(faultUnits)
	s.must(s.preload())
	item, err := seckill.ParseID(s.sale.Items[0].ID)
	s.must(err)
	s.item = item
	s.epoch = s.stock().Epoch
}

// openDoors lets the first wave come.
func (s *faultySale) openDoors() {
	s.t.Helper()
	s.wave(faultShoppers)
	s.awaitSold(faultSold)
}

// wave lets a crowd of its own come to each api.
func (s *faultySale) wave(shoppers int) {
	s.t.Helper()
	for _, api := range s.Nodes[fleet.API] {
		name := fmt.Sprintf("crowd-%d-%s", len(s.done), s.item)
		s.done = append(s.done, s.crowd(shoppers, func(c *crowd.Config) {
			c.BaseURLs, c.Spread, c.Name = []string{"http://" + api.Listen}, faultSpread, name
		}))
	}
}

// sellsMore lets another wave come, and waits until what Redis had sold is more.
func (s *faultySale) sellsMore() {
	s.t.Helper()
	before := s.lent()
	s.wave(faultShoppers)
	s.await("more is sold", func() bool { return s.lent().Sold > before.Sold+faultSold })
}

func (s *faultySale) stock() seckill.Stock {
	s.t.Helper()
	stock, err := s.stores.Stocks.Get(s.t.Context(), s.item)
	s.must(err)
	return stock
}

// lent is what Redis has; nothing while it does not answer.
func (s *faultySale) lent() seckill.LentState {
	states, err := s.stores.Lent.States(s.t.Context(), []seckill.ID{s.item})
	if err != nil {
		return seckill.LentState{}
	}
	return states[0]
}

// loses opens the sale, makes Redis lose something, and expects the next epoch to sell soon after Redis answers.
func (s *faultySale) loses(fault func()) {
	s.t.Helper()
	s.open()
	before := s.lent()
	fault()
	s.sellsAgain(before)
	s.end()
}

// sellsAgain lets the last wave come, and expects a later epoch to sell within the bound from now, when Redis answers.
func (s *faultySale) sellsAgain(before seckill.LentState) {
	s.t.Helper()
	if before.Available == 0 {
		s.t.Fatal("everything was sold before the fault: this test shows nothing")
	}
	answers := time.Now()
	s.wave(restShoppers)
	s.await("a later epoch sells", func() bool {
		state := s.lent()
		return state.Epoch > before.Epoch && state.Sold > 0
	})
	wantWithin(s.t, "redis answered, sells again", time.Since(answers), sellsWithin)
}

// end waits for the crowds and holds what they were told against the books.
func (s *faultySale) end() {
	s.t.Helper()
	var results []crowdResult
	for _, done := range s.done {
		results = append(results, <-done)
	}
	for _, result := range results {
		s.judge(result, faultUnits)
	}
	if stock := s.stock(); stock.Doubt > 0 || stock.Halted != "" {
		s.t.Errorf("at the end the stock is %+v", stock)
	}
}

// keepsEpoch expects that the sale was never sealed.
func (s *faultySale) keepsEpoch() {
	s.t.Helper()
	if stock := s.stock(); stock.Epoch != s.epoch {
		s.t.Errorf("epoch %d became %d", s.epoch, stock.Epoch)
	}
}

// losesNoEpoch kills every api, and rejects reservations whose units are then issued again (trap 26).
func losesNoEpoch(s *faultySale) {
	s.t.Helper()
	s.putOn()
	issue := s.stock().Issue
	for n := range 5 {
		s.must(s.reject(s.reserve(seckill.UserID(fmt.Sprintf("rejected-%d", n))))) // at once: the relay would settle it
	}
	s.openDoors()
	s.wave(restShoppers)
	s.await("the units are issued again", func() bool { return s.stock().Issue > issue })
	s.await("redis has them", func() bool { return s.lent().Issue == s.stock().Issue })
	for _, api := range s.Nodes[fleet.API] {
		sold := s.stock().Claimed
		api.Kill()
		s.await("more is sold", func() bool { return s.stock().Claimed > min(sold+faultSold, faultUnits-1) })
	}
	s.end()
	s.keepsEpoch()
}

// reserve takes two units past every api, before anybody else can.
func (s *faultySale) reserve(user seckill.UserID) seckill.Message {
	s.t.Helper()
	batch, err := s.stores.IDs.Next(s.item.Bucket())
	s.must(err)
	id, err := s.stores.IDs.Next(user.Bucket())
	s.must(err)
	reply, err := s.stores.Lent.Reserve(s.t.Context(), s.item, batch, []seckill.ReserveRequest{
		{ID: id, User: user, Quantity: 2, KeyHash: seckill.KeyHash("", id)},
	})
	s.must(err)
	message, err := seckill.DecodeMessage(reply.Own.Bytes)
	s.must(err)
	return message
}

// reject has a reservation refused by settling, as a poisonous one is.
func (s *faultySale) reject(message seckill.Message) error {
	shard := seckill.HomeShard(s.stores.Shards, s.item)
	if _, err := s.stores.Claims.Reject(s.t.Context(), shard, message, message.Reservations[0], seckill.Invalid); err != nil {
		return err
	}
	return s.stores.Lent.Settled(s.t.Context(), s.item, []seckill.ID{message.Batch})
}

func resumesAfterAPause(s *faultySale) {
	s.t.Helper()
	s.open()
	s.must(s.Redis.Stop())
	<-time.After(5 * time.Second) // the fault itself, not a wait for a state
	s.must(s.Redis.Continue())
	answers := time.Now()
	s.wave(restShoppers)
	var before seckill.LentState
	s.await("redis can be read", func() bool { before = s.lent(); return before.Known })
	s.await("the same epoch sells more", func() bool { return s.lent().Sold > before.Sold })
	wantWithin(s.t, "redis answered, sells again", time.Since(answers), resumesWithin)
	s.end()
	s.keepsEpoch()
}

func sellsOnAfterAnOldSnapshot(s *faultySale) {
	s.t.Helper()
	s.open()
	snapshot, err := s.Redis.Snapshot()
	s.must(err)
	s.sellsMore()
	before := s.lent()
	s.must(s.Redis.RestartFrom(s.t.Context(), snapshot))
	s.sellsAgain(before)
	s.end()
}

// sellsOnAfterAPromotion promotes a replica while its master still sells, as in a split, and moves everybody to it later: it
// lacks what was sold meanwhile. It follows from before the sale, because the first replica of a server ends its gates.
func sellsOnAfterAPromotion(s *faultySale) {
	s.t.Helper()
	replica := testenv.StartRedis(s.t)
	replica.ReplicaOf(s.t, s.Redis.Addr())
	s.open()
	replica.Promote(s.t)
	s.sellsMore()
	before := s.lent()
	s.Redis.Kill()
	lasting := context.WithoutCancel(s.t.Context())
	s.t.Cleanup(func() { s.must(s.Redis.Restart(lasting)) }) // once the path to the replica is closed
	testenv.StartProxyAt(s.t, s.Redis.Addr(), replica.Addr())
	s.sellsAgain(before)
	s.end()
}
