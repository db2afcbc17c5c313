// Command reserve makes reservations through the Redis adapter alone: no HTTP, no queue. With --batch 1 it is one EVALSHA of
// the same script at a time, through the same client library, from as many callers.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/seckill-dev/seckill/internal/redis"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// gate is long enough for any run.
const gate = time.Hour

func main() {
	var c callers
	address := flag.String("redis", "", "host:port")
	database := flag.Int("database", 0, "its number; it is emptied")
	flag.IntVar(&c.count, "callers", 64, "how many call at once")
	flag.IntVar(&c.batch, "batch", 256, "reservations per call")
	flag.DurationVar(&c.length, "for", 3*time.Second, "how long")
	flag.Parse()
	if err := c.run(context.Background(), *address, *database); err != nil {
		fmt.Fprintln(os.Stderr, "reserve:", err)
		os.Exit(1)
	}
}

// callers call at once.
type callers struct {
	count, batch int
	length       time.Duration

	lent *redis.Lent
	item seckill.ID
	next atomic.Int64
	made atomic.Int64
}

func (c *callers) run(ctx context.Context, address string, database int) (err error) {
	client := goredis.NewClient(&goredis.Options{Addr: address, DB: database})
	defer client.Close() //nolint:errcheck // the process ends
	if err := client.FlushDB(ctx).Err(); err != nil {
		return err
	}
	defer func() { _ = client.FlushDB(ctx).Err() }() // the next one does it again
	// A call waits here for its turn, and a shopper's patience is not the matter.
	c.lent, err = redis.OpenLent(redis.Options{Addresses: []string{address}, DB: database, CallTimeout: time.Second})
	if err != nil {
		return err
	}
	defer c.lent.Close() //nolint:errcheck // the process ends
	if err := c.open(ctx); err != nil {
		return err
	}
	begun := time.Now()
	failures := make([]error, c.count)
	var all sync.WaitGroup
	for i := range failures {
		all.Go(func() { failures[i] = c.call(ctx, begun.Add(c.length)) })
	}
	all.Wait()
	took := time.Since(begun)
	for _, err := range failures {
		if err != nil {
			return err
		}
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]float64{"Count": float64(c.made.Load()), "Seconds": took.Seconds()})
}

// open lends an item more than anybody can buy.
func (c *callers) open(ctx context.Context) error {
	c.item = seckill.ComposeID(time.Now().UnixMilli(), 0, 0, 0)
	c.next.Store(int64(c.item))
	server, err := c.lent.Server(ctx, c.item)
	if err != nil {
		return err
	}
	load := seckill.Load{
		Item: c.item, Epoch: 1, Attempt: c.item, Issue: 1, Available: 1 << 50, Limit: 1, Version: 1,
		OpensAt: server.Now.Add(-gate), ClosesAt: server.Now.Add(gate),
	}
	if err := c.lent.Load(ctx, load); err != nil {
		return err
	}
	return c.lent.Open(ctx, seckill.Gate{Item: c.item, Epoch: load.Epoch, Server: server, Until: server.Now.Add(gate)})
}

// call makes one call after the other, each for new shoppers.
func (c *callers) call(ctx context.Context, until time.Time) error {
	requests := make([]seckill.ReserveRequest, c.batch)
	for time.Now().Before(until) {
		last := c.next.Add(int64(c.batch) + 1)
		for i := range requests {
			id := seckill.ID(last - int64(i))
			requests[i] = seckill.ReserveRequest{
				ID: id, User: seckill.UserID("user-" + id.String()[9:]), Quantity: 1, KeyHash: seckill.KeyHash("", id),
			}
		}
		reply, err := c.lent.Reserve(ctx, c.item, seckill.ID(last-int64(c.batch)), requests)
		if err != nil {
			return err
		}
		for _, outcome := range reply.Outcomes {
			if outcome.Code != seckill.ReserveAccepted {
				return fmt.Errorf("outcome %+v", outcome)
			}
		}
		c.made.Add(int64(c.batch))
	}
	return nil
}
