package operate_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seckill-dev/seckill/internal/seckill"
)

func TestStats(t *testing.T) {
	t.Parallel()
	t.Run("say where the units are, over all shards", statsOverShards)
	t.Run("are there before the preload", statsOfDraft)
	t.Run("leave redis out while it does not answer", statsWithoutRedis)
}

func statsOverShards(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sale := w.live(t, items(8))
	item := sale.Items[3]
	users := w.order(t, item, 20)
	w.publish(t, sale)
	stats, err := w.Stats(t.Context(), sale.ID)
	if err != nil {
		t.Fatal(err)
	}
	if len(users) != 2 {
		t.Fatalf("the orders lie on %d shards", len(users))
	}
	if stats.State != seckill.SaleLive || len(stats.Items) != 8 || stats.Items[3].Orders[seckill.OrderUnpaid].Units != 20 {
		t.Errorf("%s, %d items, orders %v", stats.State, len(stats.Items), stats.Items[3].Orders)
	}
	for _, got := range stats.Items {
		if got.Stock.Lent != 1000 || got.Redis == nil || !got.Redis.Opened || got.Redis.Available != 1000 {
			t.Errorf("%+v", got)
		}
	}
	if stats.Queue == nil || stats.Queue.Ready != 8 {
		t.Errorf("the queues of the home shards hold %+v, want 8 messages", stats.Queue)
	}
}

func statsOfDraft(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sale := w.create(t)
	stats, err := w.Stats(t.Context(), sale.ID)
	if err != nil {
		t.Fatal(err)
	}
	want := seckill.Stock{Item: sale.Items[0].ID, State: seckill.StockNew}
	if diff := cmp.Diff(want, stats.Items[0].Stock); diff != "" {
		t.Error(diff)
	}
}

func statsWithoutRedis(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sale := w.live(t)
	w.lent.states.fails(-1)
	stats, err := w.Stats(t.Context(), sale.ID)
	if err != nil || stats.Items[0].Redis != nil || stats.Items[0].Stock.Lent != 1000 {
		t.Errorf("%+v, %v", stats, err)
	}
}

// order places n orders of one unit, and says on how many shards each.
func (w *world) order(t *testing.T, item seckill.Item, n int) map[int]int {
	t.Helper()
	shards := make(map[int]int)
	for i := range n {
		user := seckill.UserID("user-" + string(rune('a'+i)))
		id, err := w.ports.IDs.Next(user.Bucket())
		if err != nil {
			t.Fatal(err)
		}
		shard := seckill.UserShard(w.ports.Shards, user)
		shards[shard]++
		err = w.ports.Orders.Place(t.Context(), shard, []seckill.NewOrder{{
			ID: id, Item: item.ID, User: user, Quantity: 1, PriceMinor: 1, Currency: "EUR", PayWithin: time.Hour,
		}})
		if err != nil {
			t.Fatal(err)
		}
	}
	return shards
}

// publish puts one message per item on the queue of its home shard.
func (w *world) publish(t *testing.T, sale seckill.Sale) {
	t.Helper()
	for _, item := range sale.Items {
		batch, err := w.ports.IDs.Next(item.ID.Bucket())
		if err != nil {
			t.Fatal(err)
		}
		message := seckill.Message{
			Batch: batch, Item: item.ID, Epoch: 1, At: time.Now().UnixMilli(), Sold: 1,
			Reservations: []seckill.Reserved{{ID: batch, User: "u", Quantity: 1, KeyHash: "k"}},
		}
		err = w.queue.Publish(t.Context(), seckill.Outgoing{
			Shard: seckill.HomeShard(w.ports.Shards, item.ID), Batch: batch, Item: item.ID, Epoch: 1, Body: message.Encode(),
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
