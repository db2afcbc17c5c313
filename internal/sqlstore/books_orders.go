package sqlstore

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gorm.io/gorm"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const bookedColumns = "id, item, user_id, quantity, price_minor, currency, state, pay_by, created_at, paid_at, version"

// bookedRow is an order with what its events say.
type bookedRow struct {
	Order      orderRow `gorm:"embedded"`
	Events     int64
	FirstEvent int64
	LastEvent  int64
	LastState  seckill.OrderState
	ReadAt     int64
}

// OrdersOf implements seckill.Books.
func (b Books) OrdersOf(ctx context.Context, ids []seckill.ID) ([]seckill.Order, error) {
	type place struct {
		shard int
		table string
	}
	places := make(map[place][]seckill.ID)
	for _, id := range ids {
		at := place{b.router.Shard(id.Bucket()), b.router.table(id.Bucket())}
		places[at] = append(places[at], id)
	}
	var orders []seckill.Order
	for at, ids := range places {
		for chunk := range slices.Chunk(ids, rowsMax) {
			var rows []bookedRow
			query := "SELECT " + bookedColumns + " FROM " + at.table + " WHERE id IN ?"
			err := b.read(ctx, at.shard, func(db *gorm.DB) error { return db.Raw(query, chunk).Scan(&rows).Error })
			if err != nil {
				return nil, fmt.Errorf("read %s of shard %d: %w", at.table, at.shard, err)
			}
			for _, row := range rows {
				orders = append(orders, row.Order.order())
			}
		}
	}
	slices.SortFunc(orders, func(a, b seckill.Order) int { return cmp.Compare(a.ID, b.ID) })
	return orders, nil
}

// OrdersAfter implements seckill.Books. A cursor is "table:id", the last order of the page before.
func (b Books) OrdersAfter(
	ctx context.Context, shard int, of []seckill.ID, cursor string, limit int,
) (page []seckill.BookedOrder, next string, err error) {
	table, after, err := parseOrderCursor(cursor)
	if err != nil {
		return nil, "", err
	}
	for ; table < orderTables; table, after = table+1, 0 {
		rows, err := b.bookedAfter(ctx, shard, of, orderTable(table), after, limit-len(page))
		if err != nil {
			return nil, "", err
		}
		for _, row := range rows {
			page = append(page, b.booked(shard, orderTable(table), row))
		}
		if len(page) >= limit {
			return page, fmt.Sprintf("%d:%d", table, page[len(page)-1].ID), nil
		}
	}
	return page, "", nil
}

// bookedAfter reads the table from an id on. The index of the items would have all their orders sorted for every page, so
// adding 0 keeps it out; what other items have in between is only passed over, which may take a while.
func (b Books) bookedAfter(
	ctx context.Context, shard int, of []seckill.ID, table string, after seckill.ID, limit int,
) ([]bookedRow, error) {
	var rows []bookedRow
	where, args := "id > ?", []any{after}
	if of != nil {
		where, args = where+" AND item + 0 IN ?", append(args, of)
	}
	query := "SELECT " + bookedColumns + `,
		(SELECT COUNT(*) FROM order_events WHERE order_id = id) AS events,
		COALESCE((SELECT MIN(order_events.version) FROM order_events WHERE order_id = id), 0) AS first_event,
		COALESCE((SELECT MAX(order_events.version) FROM order_events WHERE order_id = id), 0) AS last_event,
		COALESCE((SELECT order_events.state FROM order_events WHERE order_id = id
			ORDER BY order_events.version DESC LIMIT 1), '') AS last_state, ` + b.dialect.now() + ` AS read_at
		FROM ` + table + " WHERE " + where + " ORDER BY id LIMIT ?"
	err := b.callWithin(ctx, shard, countTimeout, func(ctx context.Context) error {
		return dbError(b.primary(ctx, shard).Raw(query, append(args, limit)...).Scan(&rows).Error)
	})
	if err != nil {
		return nil, fmt.Errorf("read %s of shard %d: %w", table, shard, err)
	}
	return rows, nil
}

// booked notices what no reader by id or user would ever find: a row in another table or shard than its id says, or an
// id of another bucket than its user's.
func (b Books) booked(shard int, table string, row bookedRow) seckill.BookedOrder {
	bucket := row.Order.ID.Bucket()
	return seckill.BookedOrder{
		Order: row.Order.order(), Table: table,
		Events: row.Events, FirstEvent: row.FirstEvent, LastEvent: row.LastEvent, LastState: row.LastState,
		ReadAt:    fromMilli(row.ReadAt),
		Misplaced: b.router.Shard(bucket) != shard || b.router.table(bucket) != table || row.Order.User.Bucket() != bucket,
	}
}

func parseOrderCursor(cursor string) (table int, after seckill.ID, err error) {
	if cursor == "" {
		return 0, 0, nil
	}
	first, second, found := strings.Cut(cursor, ":")
	table, err = strconv.Atoi(first)
	if err != nil || !found || table < 0 || table >= orderTables || first != strconv.Itoa(table) {
		return 0, 0, seckill.InvalidField("cursor", "is not one that was returned")
	}
	if after, err = seckill.ParseID(second); err != nil {
		return 0, 0, seckill.InvalidField("cursor", "is not one that was returned")
	}
	return table, after, nil
}
