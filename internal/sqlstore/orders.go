package sqlstore

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"gorm.io/gorm"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Orders keeps the orders in their users' shards. The bucket picks one of the shard's tables; order id and user id have
// the same bucket, so either finds the row.
type Orders struct{ *Store }

var _ seckill.Orders = Orders{}

// orderRow is a row of any of the order tables.
type orderRow struct {
	ID         seckill.ID         `gorm:"column:id;primaryKey"`
	Item       seckill.ID         `gorm:"column:item"`
	User       seckill.UserID     `gorm:"column:user_id"`
	Quantity   int64              `gorm:"column:quantity"`
	PriceMinor int64              `gorm:"column:price_minor"`
	Currency   string             `gorm:"column:currency"`
	State      seckill.OrderState `gorm:"column:state"`
	PayBy      int64              `gorm:"column:pay_by"`
	CreatedAt  int64              `gorm:"column:created_at;autoCreateTime:false"`
	PaidAt     int64              `gorm:"column:paid_at"`
	Version    int64              `gorm:"column:version"`
}

func (r orderRow) order() seckill.Order {
	return seckill.Order{
		ID: r.ID, Item: r.Item, User: r.User, Quantity: r.Quantity, PriceMinor: r.PriceMinor, Currency: r.Currency,
		State: r.State, PayBy: fromMilli(r.PayBy), CreatedAt: fromMilli(r.CreatedAt), PaidAt: fromMilli(r.PaidAt),
		Version: r.Version,
	}
}

// firstVersion is that of a row and an event that nobody has changed yet, causeSettle who placed the order.
const (
	firstVersion = 1
	causeSettle  = "settle"
)

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
		for number, placed := range tables {
			if err := o.place(tx, orderTable(number), placed); err != nil {
				return refusedData(err)
			}
		}
		return o.placeEvents(tx, orders)
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

func (o Orders) place(tx *gorm.DB, table string, orders []seckill.NewOrder) error {
	rows := make([][]any, len(orders))
	for i, n := range orders {
		rows[i] = []any{
			int64(n.ID), int64(n.Item), string(n.User), n.Quantity, n.PriceMinor, n.Currency, n.PayWithin.Milliseconds(),
		}
	}
	written, err := insert{
		into: table + " (id, item, user_id, quantity, price_minor, currency, state, pay_by, created_at, paid_at, version)",
		row: fmt.Sprintf("(?,?,?,?,?,?,'%s',%s+?,%s,0,%d)",
			seckill.OrderUnpaid, o.dialect.now(), o.dialect.now(), firstVersion),
		known: o.dialect.skipKnown("id"),
	}.run(tx, rows)
	if err != nil || written == int64(len(rows)) {
		return err
	}
	return sameOrders(tx, table, orders)
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

func (o Orders) placeEvents(tx *gorm.DB, orders []seckill.NewOrder) error {
	sorted := slices.SortedFunc(slices.Values(orders), byID)
	rows := make([][]any, len(sorted))
	for i, order := range sorted {
		rows[i] = []any{int64(order.ID)}
	}
	_, err := insert{
		into:  "order_events (order_id, version, state, cause, at)",
		row:   fmt.Sprintf("(?,%d,'%s','%s',%s)", firstVersion, seckill.OrderUnpaid, causeSettle, o.dialect.now()),
		known: o.dialect.skipKnown("order_id"),
	}.run(tx, rows)
	return err
}

// Find implements seckill.Orders.
func (o Orders) Find(ctx context.Context, id seckill.ID) (seckill.Order, error) {
	var row orderRow
	bucket := id.Bucket()
	err := o.read(ctx, o.router.Shard(bucket), func(db *gorm.DB) error {
		return db.Table(o.router.table(bucket)).Where("id = ?", id).Take(&row).Error
	})
	if err != nil {
		return seckill.Order{}, fmt.Errorf("find order %s: %w", id, err)
	}
	return row.order(), nil
}

// OfUser implements seckill.Orders.
func (o Orders) OfUser(ctx context.Context, query seckill.OrderQuery) ([]seckill.Order, error) {
	var rows []orderRow
	bucket := query.User.Bucket()
	err := o.read(ctx, o.router.Shard(bucket), func(db *gorm.DB) error {
		page := db.Table(o.router.table(bucket)).Where("user_id = ?", query.User)
		if query.After != 0 {
			page = page.Where("id < ?", query.After)
		}
		if query.State != "" {
			page = page.Where("state = ?", query.State)
		}
		return page.Order("id DESC").Limit(query.Limit).Find(&rows).Error
	})
	if err != nil {
		return nil, fmt.Errorf("read the orders of user %s: %w", query.User, err)
	}
	orders := make([]seckill.Order, len(rows))
	for i, row := range rows {
		orders[i] = row.order()
	}
	return orders, nil
}

// Count implements seckill.Orders. One statement over all tables: its figures belong to one moment, which may be some
// seconds ago.
func (o Orders) Count(ctx context.Context, shard int, item seckill.ID) (map[seckill.OrderState]seckill.OrderCount, error) {
	var parts []string
	var args []any
	for number := range orderTables {
		parts = append(parts, "SELECT state, COUNT(*) AS orders, SUM(quantity) AS units FROM "+orderTable(number)+" WHERE item = ? GROUP BY state")
		args = append(args, item)
	}
	var rows []struct {
		State  seckill.OrderState
		Orders int64
		Units  int64
	}
	err := o.lagging(ctx, shard, func(db *gorm.DB) error {
		return db.Raw(strings.Join(parts, " UNION ALL "), args...).Scan(&rows).Error
	})
	if err != nil {
		return nil, fmt.Errorf("count the orders of item %s on shard %d: %w", item, shard, err)
	}
	counts := make(map[seckill.OrderState]seckill.OrderCount)
	for _, row := range rows {
		count := counts[row.State]
		counts[row.State] = seckill.OrderCount{Orders: count.Orders + row.Orders, Units: count.Units + row.Units}
	}
	return counts, nil
}
