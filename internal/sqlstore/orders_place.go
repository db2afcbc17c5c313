package sqlstore

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// firstVersion is that of a row and an event that nobody has changed yet.
const firstVersion = 1

// placeTries bounds how often orders are placed that meet in a deadlock: those who wait for the same order, which a third
// one rolls back, are all let go at once. Each deadlock lets one of them through.
const placeTries = 8

// Place implements seckill.Orders. An order and its event are skipped when they are known: they came in one transaction.
func (o Orders) Place(ctx context.Context, shard int, orders []seckill.NewOrder) error {
	if len(orders) == 0 {
		return nil
	}
	tables, err := o.byTable(shard, orders)
	if err != nil {
		return fmt.Errorf("place %d orders: %w", len(orders), err)
	}
	err = o.placeOnce(ctx, shard, tables, orders)
	for tries := 1; isDeadlock(err) && tries < placeTries; tries++ {
		err = o.placeOnce(ctx, shard, tables, orders)
	}
	if err != nil {
		return fmt.Errorf("place %d orders on shard %d: %w", len(orders), shard, repeatable(err))
	}
	return nil
}

func (o Orders) placeOnce(ctx context.Context, shard int, tables [orderTables][]seckill.NewOrder, orders []seckill.NewOrder) error {
	return o.inTx(ctx, shard, func(tx *gorm.DB) error {
		p, err := o.newPlacing(tx)
		if err != nil {
			return err
		}
		return p.placeAll(tables, orders)
	})
}

// byTable spreads orders over the shard's tables, each sorted by id. It refuses what could never be found again.
func (o Orders) byTable(shard int, orders []seckill.NewOrder) ([orderTables][]seckill.NewOrder, error) {
	var tables [orderTables][]seckill.NewOrder
	for _, order := range orders {
		bucket := order.User.Bucket()
		if order.ID.Bucket() != bucket || o.router.Shard(bucket) != shard {
			return tables, fmt.Errorf("%w: order %s of bucket %d and user %s of bucket %d do not both live on shard %d",
				seckill.ErrPoison, order.ID, order.ID.Bucket(), order.User, bucket, shard)
		}
		number := tableNumber(bucket)
		tables[number] = append(tables[number], order)
	}
	for _, placed := range tables {
		slices.SortFunc(placed, byID)
	}
	return tables, nil
}

func byID(a, b seckill.NewOrder) int { return cmp.Compare(a.ID, b.ID) }

// placing is one T2.
type placing struct {
	Orders
	tx *gorm.DB
	// now is the database's clock, read once: in every row the expression would cost more than the rest of it.
	now time.Time
	// written is how many orders did not exist.
	written int64
	// fresh says that none of them may exist: one that does is a taken key, and not skipped.
	fresh bool
}

func (o Orders) newPlacing(tx *gorm.DB) (*placing, error) {
	now, err := o.clockOf(tx)
	return &placing{Orders: o, tx: tx, now: now}, err
}

// placeAll writes the orders and their first events.
func (p *placing) placeAll(tables [orderTables][]seckill.NewOrder, orders []seckill.NewOrder) error {
	for number, placed := range tables {
		if err := p.place(orderTable(number), placed); err != nil {
			return refusedData(err)
		}
	}
	return p.placeEvents(orders)
}

// known ends an INSERT whose rows may exist.
func (p *placing) known(key string) string {
	if p.fresh {
		return ""
	}
	return p.dialect.skipKnown(key)
}

// payBy is when an order has to be paid, to the millisecond as everything that is stored.
func (p *placing) payBy(n seckill.NewOrder) time.Time {
	return p.now.Add(n.PayWithin.Truncate(time.Millisecond))
}

func (p *placing) place(table string, orders []seckill.NewOrder) error {
	now := p.now.UnixMilli()
	written, err := insert{
		into:  table + " (id, item, user_id, quantity, price_minor, currency, pay_by, created_at)",
		usual: "state, paid_at, version", leaveOut: true,
		known: p.known("id"),
	}.runPlain(p.tx, len(orders), func(v *values, i int) {
		n := orders[i]
		v.number(int64(n.ID))
		v.number(int64(n.Item))
		v.string(string(n.User))
		v.number(n.Quantity)
		v.number(n.PriceMinor)
		v.string(n.Currency)
		v.number(p.payBy(n).UnixMilli())
		v.number(now)
		if v.whole {
			v.string(string(seckill.OrderUnpaid))
			v.number(0)
			v.number(firstVersion)
		}
	})
	p.written += written
	if err != nil || written == int64(len(orders)) {
		return err
	}
	return sameOrders(p.tx, table, orders)
}

// sameOrders refuses an id that was known as another order's: taken for a repetition, its own order would be lost.
func sameOrders(tx *gorm.DB, table string, orders []seckill.NewOrder) error {
	for chunk := range slices.Chunk(orders, rowsMax) {
		wanted := make(map[seckill.ID]seckill.NewOrder, len(chunk))
		ids := make([]seckill.ID, len(chunk))
		for i, order := range chunk {
			ids[i], wanted[order.ID] = order.ID, order
		}
		var rows []orderRow
		if err := tx.Table(table).Where("id IN ?", ids).Find(&rows).Error; err != nil {
			return err
		}
		for _, row := range rows {
			order := wanted[row.ID]
			if row.Item != order.Item || row.User != order.User || row.Quantity != order.Quantity {
				return fmt.Errorf("%w: id %s is another order's", seckill.ErrPoison, row.ID)
			}
		}
	}
	return nil
}

// placeEvents writes the first events, and tells the shop.
func (p *placing) placeEvents(orders []seckill.NewOrder) error {
	sorted := slices.SortedFunc(slices.Values(orders), byID)
	told, err := p.tellPlaced(sorted)
	if err != nil {
		return err
	}
	now := p.now.UnixMilli()
	_, err = insert{
		into:  "order_events (order_id, at, tells)",
		usual: "version, state, cause", leaveOut: true,
		known: p.known("order_id"),
	}.runPlain(p.tx, len(sorted), func(v *values, n int) {
		v.number(int64(sorted[n].ID))
		v.number(now)
		v.number(int64(told[sorted[n].ID]))
		if v.whole {
			v.number(firstVersion)
			v.string(string(seckill.OrderUnpaid))
			v.string(string(seckill.CauseSettle))
		}
	})
	return err
}

// tellPlaced tells the shop of the orders that are new, before they have their events: that is what tells them from those that
// were placed before.
func (p *placing) tellPlaced(sorted []seckill.NewOrder) (map[seckill.ID]seckill.ID, error) {
	if !p.tells || p.written == 0 {
		return nil, nil
	}
	known := make(map[seckill.ID]bool)
	if p.written < int64(len(sorted)) {
		var err error
		if known, err = p.placedBefore(sorted); err != nil {
			return nil, err
		}
	}
	placed := make([]seckill.Order, 0, p.written)
	for _, n := range sorted {
		if known[n.ID] {
			continue
		}
		known[n.ID] = true // the same one may be there twice
		placed = append(placed, seckill.Order{
			ID: n.ID, Item: n.Item, User: n.User, Quantity: n.Quantity, PriceMinor: n.PriceMinor, Currency: n.Currency,
			State: seckill.OrderUnpaid, PayBy: p.payBy(n), CreatedAt: p.now, Version: firstVersion,
		})
	}
	return p.tellOrders(p.tx, placed)
}

// placedBefore are those of the orders that have events. Whoever placed one has committed: its row was waited for.
func (p *placing) placedBefore(orders []seckill.NewOrder) (map[seckill.ID]bool, error) {
	known := make(map[seckill.ID]bool)
	for chunk := range slices.Chunk(orders, rowsMax) {
		ids := make([]seckill.ID, len(chunk))
		for i, order := range chunk {
			ids[i] = order.ID
		}
		var rows []orderEventRow
		if err := p.tx.Where("order_id IN ? AND version = ?", ids, firstVersion).Find(&rows).Error; err != nil {
			return nil, err
		}
		for _, row := range rows {
			known[row.Order] = true
		}
	}
	return known, nil
}
