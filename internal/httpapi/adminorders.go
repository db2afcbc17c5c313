package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/seckill-dev/seckill/api"
	"github.com/seckill-dev/seckill/internal/operate"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// listAdminOrders shows a user's orders, newest first.
func (o *operators) listAdminOrders(ctx context.Context, c *gin.Context, _ string) error {
	asked, err := queryOf(c)
	if err != nil {
		return err
	}
	user, given, err := asked.one("user")
	if err != nil {
		return err
	}
	if !given {
		return seckill.InvalidField("user", "say whose orders with ?user=")
	}
	page, err := asked.page()
	if err != nil {
		return err
	}
	found, err := o.operations.OrdersOf(ctx, seckill.OrderQuery{User: seckill.UserID(user), After: page.after, Limit: page.limit})
	if err != nil {
		return err
	}
	list := api.AdminOrderList{Data: make([]api.AdminOrder, len(found.Orders))}
	for i, order := range found.Orders {
		list.Data[i] = wireAdminOrder(order)
	}
	if found.Next > 0 {
		list.Next = cursorOf(found.Next)
	}
	return o.reply(c, http.StatusOK, list)
}

func (o *operators) getAdminOrder(ctx context.Context, c *gin.Context, _ string) error {
	id, err := pathID(c, "order_id")
	if err != nil {
		return err
	}
	report, err := o.operations.Order(ctx, id)
	if err != nil {
		return err
	}
	tag(c, report.Order)
	return o.reply(c, http.StatusOK, wireOrderReport(report))
}

func (o *operators) cancelOrder(ctx context.Context, c *gin.Context, actor string) error {
	act, err := orderAct(c, actor)
	if err != nil {
		return err
	}
	var body api.CancelOrder
	if err := decode(c, bodyMax, &body); err != nil {
		return err
	}
	act.Reason = body.Reason
	report, err := o.operations.CancelOrder(ctx, act)
	return o.movedOrder(ctx, c, actor, report, err)
}

func (o *operators) refundOrder(ctx context.Context, c *gin.Context, actor string) error {
	act, err := orderAct(c, actor)
	if err != nil {
		return err
	}
	var body api.RefundOrder
	if err := decode(c, bodyMax, &body); err != nil {
		return err
	}
	act.Reason = body.Reason
	report, err := o.operations.RefundOrder(ctx, act, body.Restock)
	return o.movedOrder(ctx, c, actor, report, err)
}

// orderAct is what an operator asks of which order; the body says why.
func orderAct(c *gin.Context, actor string) (operate.OrderAct, error) {
	id, version, err := readTarget(c)
	return operate.OrderAct{Actor: actor, Order: id, Version: version}, err
}

func (o *operators) movedOrder(ctx context.Context, c *gin.Context, actor string, report operate.OrderReport, err error) error {
	if err != nil {
		return err
	}
	tag(c, report.Order)
	if err := o.reply(c, http.StatusOK, wireOrderReport(report)); err != nil {
		return err
	}
	o.noteOperated(ctx, c, actor, c.FullPath())
	return nil
}

func wireAdminOrder(o seckill.Order) api.AdminOrder {
	return api.AdminOrder{
		ID: o.ID.String(), ItemID: o.Item.String(), UserID: string(o.User), Quantity: o.Quantity, AmountMinor: o.AmountMinor(),
		Currency: o.Currency, Status: api.OrderStatus(o.State), Version: o.Version, PayBy: o.PayBy.UTC(),
		CreatedAt: o.CreatedAt.UTC(), PaidAt: utc(o.PaidAt),
	}
}

func wireOrderReport(report operate.OrderReport) api.AdminOrder {
	wire := wireAdminOrder(report.Order)
	for _, p := range report.Payments {
		wire.Payments = append(wire.Payments, api.AdminPayment{
			ID: p.ID.String(), Provider: p.Provider, Session: p.Session, Status: api.AdminPaymentStatus(p.State),
			AmountMinor: p.AmountMinor, Currency: p.Currency, CreatedAt: p.CreatedAt.UTC(),
		})
	}
	for _, charge := range report.Charges {
		wire.Charges = append(wire.Charges, api.AdminCharge{
			Provider: charge.Provider, Txn: charge.Txn, PaymentID: charge.Payment.String(), AmountMinor: charge.AmountMinor,
			Currency: charge.Currency, At: charge.At.UTC(), Refund: string(charge.Refund),
		})
	}
	for _, refund := range report.Refunds {
		wire.Refunds = append(wire.Refunds, wireAdminRefund(refund))
	}
	for _, event := range report.Events {
		wire.Events = append(wire.Events, api.AdminOrderEvent{
			Version: event.Version, Status: api.OrderStatus(event.State), Cause: string(event.Cause), At: event.At.UTC(),
		})
	}
	return wire
}

func wireAdminRefund(refund seckill.Refund) api.AdminRefund {
	return api.AdminRefund{
		Provider: refund.Provider, Txn: refund.Txn, AmountMinor: refund.AmountMinor, Currency: refund.Currency,
		Reason: api.AdminRefundReason(refund.Reason), Restock: refund.Restock, Status: api.AdminRefundStatus(refund.State),
		Tries: refund.Tries, Failure: refund.Failure, At: refund.At.UTC(), DoneAt: utc(refund.DoneAt),
	}
}

// utc leaves a time that is not there as it is, so that it is left out.
func utc(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC()
}
