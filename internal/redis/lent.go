package redis

import (
	"context"
	"fmt"

	goredis "github.com/redis/go-redis/v9"

	"github.com/seckill-dev/seckill/internal/seckill"
)

var _ seckill.Lent = (*Lent)(nil)

// Lent keeps the lent units in Redis. Safe for concurrent use.
type Lent struct {
	client   goredis.UniversalClient
	scripts  scripts
	identity string
	address  string // of the only server, or a seed
}

// OpenLent prepares connections; the first call makes one, so a Redis that is down is no error here.
func OpenLent(options Options) (*Lent, error) {
	scripts, err := readScripts()
	if err != nil {
		return nil, err
	}
	client, err := options.dial()
	if err != nil {
		return nil, err
	}
	return &Lent{client: client, scripts: scripts, identity: options.FixedIdentity.argument(), address: options.Addresses[0]}, nil
}

// Close closes the connections.
func (l *Lent) Close() error {
	if err := l.client.Close(); err != nil {
		return fmt.Errorf("close redis: %w", err)
	}
	return nil
}

// Node names the server that has the item now, "" while none is known: calls for items of one node fail together.
func (l *Lent) Node(ctx context.Context, item seckill.ID) string {
	cluster, ok := l.client.(*goredis.ClusterClient)
	if !ok {
		return l.address
	}
	master, err := cluster.MasterForKey(ctx, keysOf(item).meta())
	if err != nil {
		return ""
	}
	return master.Options().Addr
}

// do runs a script that says no more than ok.
func (l *Lent) do(ctx context.Context, s script, keys []string, args ...any) error {
	r, err := s.run(ctx, l.client, keys, args...)
	if err != nil {
		return err
	}
	return r.done(s.name)
}

// batchText is empty for a reservation that was loaded from SQL.
func batchText(batch seckill.ID) string {
	if batch == 0 {
		return ""
	}
	return batch.String()
}

// entry reads rid, quantity, keyhash, batch.
func (r *reply) entry() seckill.BuyerEntry {
	return seckill.BuyerEntry{ID: r.id(), Quantity: r.number(), KeyHash: r.text(), Batch: r.id()}
}

// entries reads how many there are, then the entries.
func (r *reply) entries() []seckill.BuyerEntry {
	var entries []seckill.BuyerEntry
	for range r.count() {
		entries = append(entries, r.entry())
	}
	return entries
}
