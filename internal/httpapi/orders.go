package httpapi

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/seckill-dev/seckill/api"
	"github.com/seckill-dev/seckill/internal/checkout"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// Checkout is what becomes of orders. A version of 0 does not ask for one.
type Checkout interface {
	Order(ctx context.Context, user seckill.UserID, id seckill.ID) (checkout.OrderView, error)
	Orders(ctx context.Context, query seckill.OrderQuery) (checkout.Page, error)
	Cancel(ctx context.Context, user seckill.UserID, id seckill.ID, version int64) (seckill.Order, error)
	Pay(ctx context.Context, user seckill.UserID, id seckill.ID, version int64) (checkout.Receipt, error)
	Receive(ctx context.Context, provider string, notice seckill.Notice) error
}

// getOrder shows one of the caller's orders. Somebody else's does not exist for them.
func (s *shoppers) getOrder(ctx context.Context, c *gin.Context, user seckill.UserID) error {
	id, err := pathID(c, "order_id")
	if err != nil {
		return err
	}
	view, err := s.checkout.Order(ctx, user, id)
	if err != nil {
		return err
	}
	tag(c, view.Order)
	return s.reply(c, http.StatusOK, wireOrderView(view, s.clock.Now()))
}

// listOrders shows the caller's orders, newest first.
func (s *shoppers) listOrders(ctx context.Context, c *gin.Context, user seckill.UserID) error {
	asked, err := queryOf(c)
	if err != nil {
		return err
	}
	state, err := asked.orderState()
	if err != nil {
		return err
	}
	page, err := asked.page()
	if err != nil {
		return err
	}
	found, err := s.checkout.Orders(ctx, seckill.OrderQuery{User: user, State: state, After: page.after, Limit: page.limit})
	if err != nil {
		return err
	}
	list := api.OrderList{Data: make([]api.Order, len(found.Orders))}
	for i, order := range found.Orders {
		list.Data[i] = wireOrder(order)
	}
	if found.Next != 0 {
		list.Next = cursorOf(found.Next)
	}
	return s.reply(c, http.StatusOK, list)
}

// cancelOrder ends an unpaid order of the caller's.
func (s *shoppers) cancelOrder(ctx context.Context, c *gin.Context, user seckill.UserID) error {
	id, version, err := readTarget(c)
	if err != nil {
		return err
	}
	order, err := s.checkout.Cancel(ctx, user, id, version)
	if err != nil {
		return err
	}
	tag(c, order)
	err = s.reply(c, http.StatusOK, wireOrder(order))
	s.noteOrder(ctx, c, "order cancelled", s.shards.Shard(user.Bucket()), id)
	return err
}

// readTarget reads which order is meant, and at which version.
func readTarget(c *gin.Context) (id seckill.ID, version int64, err error) {
	if id, err = pathID(c, "order_id"); err != nil {
		return 0, 0, err
	}
	version, err = ifMatch(c.Request.Header[matchHeader])
	return id, version, err
}

// tag says at which version an order is.
func tag(c *gin.Context, order seckill.Order) {
	c.Writer.Header().Set("ETag", strconv.Quote(strconv.FormatInt(order.Version, 10)))
}

func wireOrderView(view checkout.OrderView, now time.Time) api.Order {
	wire := wireOrder(view.Order)
	if view.Payment != nil {
		attempt := *view.Payment
		// Who asks for a payment gets one that has not lapsed, whatever this machine takes for the time.
		payment := wirePayment(attempt, helps(attempt, view.Order) && !attempt.Lapsed(view.Order, now))
		wire.Payment = &payment
	}
	for _, refund := range view.Refunds {
		wire.Refunds = append(wire.Refunds, wireRefund(refund))
	}
	return wire
}

func wireOrder(o seckill.Order) api.Order {
	wire := api.Order{
		ID: o.ID.String(), ItemID: o.Item.String(), Quantity: o.Quantity, AmountMinor: o.AmountMinor(), Currency: o.Currency,
		Status: api.OrderStatus(o.State), PayBy: o.PayBy.UTC(), CreatedAt: o.CreatedAt.UTC(), Version: o.Version,
	}
	if !o.PaidAt.IsZero() {
		wire.PaidAt = o.PaidAt.UTC()
	}
	return wire
}
