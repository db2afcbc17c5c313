package ledger

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// orderTables is the number of order tables on each shard, which is all that is left of them here: pages go by them.
const orderTables = 16

func orderTable(id seckill.ID) int { return id.Bucket() % orderTables }

// byTable is the order in which pages go through a shard's orders.
func byTable(a, b seckill.ID) int {
	return cmp.Or(cmp.Compare(orderTable(a), orderTable(b)), cmp.Compare(a, b))
}

// OrdersOf implements seckill.Books.
func (b Books) OrdersOf(ctx context.Context, ids []seckill.ID) ([]seckill.Order, error) {
	var orders []seckill.Order
	for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
		err := b.on(ctx, b.router.of(id), func(db *database) error {
			if row := db.orders.byID.get(id); row != nil {
				orders = append(orders, row.Order)
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("read order %s: %w", id, err)
		}
	}
	return orders, nil
}

// OrdersAfter implements seckill.Books. A cursor is "table:id", the last order of the page before.
func (b Books) OrdersAfter(
	ctx context.Context, shard int, of []seckill.ID, cursor string, limit int,
) (booked []seckill.BookedOrder, next string, err error) {
	after, err := parseOrderCursor(cursor)
	if err != nil {
		return nil, "", err
	}
	err = b.on(ctx, shard, func(db *database) error {
		for _, id := range slices.SortedFunc(slices.Values(db.orders.byID.keys), byTable) {
			if len(booked) == limit {
				break
			}
			isOne := of == nil || slices.Contains(of, db.orders.byID.get(id).Item)
			if isOne && (after == 0 || byTable(id, after) > 0) {
				booked = append(booked, db.booked(id))
			}
		}
		return nil
	})
	if err != nil {
		return nil, "", fmt.Errorf("read the orders of shard %d: %w", shard, err)
	}
	if len(booked) > 0 && len(booked) == limit {
		last := booked[len(booked)-1].ID
		next = fmt.Sprintf("%d:%d", orderTable(last), last)
	}
	return booked, next, nil
}

// booked is an order with what its steps say.
func (db *database) booked(id seckill.ID) seckill.BookedOrder {
	row := db.orders.byID.get(id)
	booked := seckill.BookedOrder{
		Order: row.Order, Table: fmt.Sprintf("orders_%02d", orderTable(id)), Events: int64(len(row.steps)), ReadAt: db.now(),
		Misplaced: db.ledger.router.of(id) != db.number || row.User.Bucket() != id.Bucket(),
	}
	if len(row.steps) > 0 {
		last := row.steps[len(row.steps)-1]
		booked.FirstEvent, booked.LastEvent, booked.LastState = row.steps[0].Version, last.Version, last.State
	}
	return booked
}

func parseOrderCursor(cursor string) (after seckill.ID, err error) {
	if cursor == "" {
		return 0, nil
	}
	first, second, found := strings.Cut(cursor, ":")
	table, err := strconv.Atoi(first)
	if err == nil && found {
		after, err = seckill.ParseID(second)
	}
	if err != nil || !found || table != orderTable(after) {
		return 0, seckill.InvalidField("cursor", "is not one that was returned")
	}
	return after, nil
}
