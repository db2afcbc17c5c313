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

// Place implements seckill.Orders. An order and its event are skipped when they are known: they came in one transaction.
func (o Orders) Place(ctx context.Context, shard int, orders []seckill.NewOrder) error {
	if len(orders) == 0 {
		return nil
	}
	tables, err := o.byTable(shard, orders)
	if err != nil {
		return fmt.Errorf("place %d orders: %w", len(orders), err)
	}
	err = o.inTx(ctx, shard, func(tx *gorm.DB) error {
		p, err := o.newPlacing(tx)
		if err != nil {
			return err
		}
		for number, placed := range tables {
			if err := p.place(orderTable(number), placed); err != nil {
				return refusedData(err)
			}
		}
		return p.placeEvents(orders)
	})
	if err != nil {
		return fmt.Errorf("place %d orders on shard %d: %w", len(orders), shard, repeatable(err))
	}
	return nil
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
	// clock is the database's word for now. When the shop is told of the orders, now has been read before, and clock says
	// the same.
	clock string
	now   time.Time
	// written is how many orders did not exist.
	written int64
}

func (o Orders) newPlacing(tx *gorm.DB) (*placing, error) {
	p := &placing{Orders: o, tx: tx, clock: o.dialect.now()}
	if !o.tells {
		return p, nil
	}
	var err error
	p.now, err = o.clockOf(tx)
	p.clock = number(toMilli(p.now))
	return p, err
}

func (p *placing) place(table string, orders []seckill.NewOrder) error {
	rows := make([][]any, len(orders))
	for i, n := range orders {
		rows[i] = []any{
			int64(n.ID), int64(n.Item), string(n.User), n.Quantity, n.PriceMinor, n.Currency, n.PayWithin.Milliseconds(),
		}
	}
	written, err := insert{
		into: table + " (id, item, user_id, quantity, price_minor, currency, state, pay_by, created_at, paid_at, version)",
		row: fmt.Sprintf("(?,?,?,?,?,?,'%s',%s+?,%s,0,%d)",
			seckill.OrderUnpaid, p.clock, p.clock, firstVersion),
		known: p.dialect.skipKnown("id"),
	}.run(p.tx, rows)
	p.written += written
	if err != nil || written == int64(len(rows)) {
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
	rows := make([][]any, len(sorted))
	for i, order := range sorted {
		rows[i] = []any{int64(order.ID), int64(told[order.ID])}
	}
	_, err = insert{
		into: "order_events (order_id, version, state, cause, at, tells)",
		row: fmt.Sprintf("(?,%d,'%s','%s',%s,?)",
			firstVersion, seckill.OrderUnpaid, seckill.CauseSettle, p.clock),
		known: p.dialect.skipKnown("order_id"),
	}.run(p.tx, rows)
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
			State: seckill.OrderUnpaid, PayBy: p.now.Add(n.PayWithin.Truncate(time.Millisecond)), CreatedAt: p.now, Version: firstVersion,
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
