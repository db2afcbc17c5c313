package sqlstore

import (
	"fmt"
	"strings"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// orderTables is the number of order tables on each shard.
const orderTables = 16

// router maps buckets to shards and order tables. Each shard has one range of buckets, and the table depends on the
// bucket alone: when a range is split later, its rows move to the table of the same name.
type router struct {
	shards int
}

var _ seckill.Shards = router{}

func newRouter(shards int) router { return router{shards: shards} }

// Count implements seckill.Shards.
func (r router) Count() int { return r.shards }

// Shard implements seckill.Shards.
func (r router) Shard(bucket int) int { return bucket * r.shards / seckill.Buckets }

// home is the shard of an item's stock and claims.
func (r router) home(item seckill.ID) int { return seckill.HomeShard(r, item) }

// table is the order table of a bucket.
func (r router) table(bucket int) string { return orderTable(tableNumber(bucket)) }

func tableNumber(bucket int) int { return bucket % orderTables }

func orderTable(number int) string { return fmt.Sprintf("orders_%02d", number) }

// describe is the map in one line, as it is stored and compared.
func (r router) describe() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d buckets, %d tables, shards begin at", seckill.Buckets, orderTables)
	shard := -1
	for bucket := range seckill.Buckets {
		if s := r.Shard(bucket); s != shard {
			shard = s
			fmt.Fprintf(&b, " %d", bucket)
		}
	}
	return b.String()
}
