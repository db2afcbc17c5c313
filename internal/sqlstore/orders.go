package sqlstore

import (
	"context"
	"fmt"
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
