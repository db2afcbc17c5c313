package httpapi

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/seckill-dev/seckill/api"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// getOrder shows one of the caller's orders. Somebody else's does not exist for them.
func (s *shoppers) getOrder(ctx context.Context, c *gin.Context, user seckill.UserID) error {
	id, err := pathID(c, "order_id")
	if err != nil {
		return err
	}
	order, err := s.orders.Find(ctx, id)
	if err != nil {
		return err
	}
	if order.User != user {
		return seckill.ErrNotFound
	}
	return s.reply(c, http.StatusOK, wireOrder(order))
}

// listOrders shows the caller's orders, newest first.
func (s *shoppers) listOrders(ctx context.Context, c *gin.Context, user seckill.UserID) error {
	asked, err := queryOf(c)
	if err != nil {
		return err
	}
	page, err := asked.page()
	if err != nil {
		return err
	}
	// One more than asked says whether there is a next page.
	found, err := s.orders.OfUser(ctx, seckill.OrderQuery{User: user, After: page.after, Limit: page.limit + 1})
	if err != nil {
		return err
	}
	list := api.OrderList{Data: make([]api.Order, 0, len(found))}
	for i, order := range found {
		if i == page.limit {
			list.Next = cursorOf(found[i-1].ID)
			break
		}
		list.Data = append(list.Data, wireOrder(order))
	}
	return s.reply(c, http.StatusOK, list)
}

func wireOrder(o seckill.Order) api.Order {
	wire := api.Order{
		ID: o.ID.String(), ItemID: o.Item.String(), Quantity: o.Quantity, AmountMinor: o.AmountMinor(), Currency: o.Currency,
		Status: api.OrderStatus(o.State), PayBy: o.PayBy.UTC(), CreatedAt: o.CreatedAt.UTC(),
	}
	if !o.PaidAt.IsZero() {
		wire.PaidAt = o.PaidAt.UTC()
	}
	return wire
}
