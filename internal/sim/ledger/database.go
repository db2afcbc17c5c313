package ledger

import (
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// database is one shard.
type database struct {
	ledger *Ledger
	number int
	away   bool
	shift  time.Duration
	made   numbers

	sales table[seckill.ID, saleRow]
	items table[seckill.ID, seckill.Item]
	acts  table[seckill.ID, seckill.Act]

	stocks table[seckill.ID, seckill.Stock]
	moves  table[seckill.ID, itemMoves]
	claims claims
	marks  table[seckill.ID, process]
	outbox table[seckill.ID, seckill.Owed]

	orders orders
	till   till

	told told
}

// catalogShard is where everything lives that is not spread by bucket.
const catalogShard = 0

// firstVersion is that of a row and an event that nobody has changed yet.
const firstVersion = 1

// owe writes steps into the outbox.
func (db *database) owe(owed ...seckill.Owed) {
	for _, o := range owed {
		o.ID = db.nextID(o.Item.Bucket())
		db.outbox.put(o.ID, o)
		db.touchOwed(o)
	}
}

func (db *database) touchOwed(o seckill.Owed) {
	if o.Kind == seckill.OwedReturn {
		db.ledger.touchOrder(o.Entry.ID)
	} else {
		db.ledger.touchItem(o.Item)
	}
}
