package httpapi_test

import (
	"context"
	"time"

	"github.com/seckill-dev/seckill/internal/checkout"
	"github.com/seckill-dev/seckill/internal/seckill"
)

const paymentID = seckill.ID(7301444403200123)

func order(id seckill.ID, user seckill.UserID) seckill.Order {
	return seckill.Order{
		ID: id, Item: itemID, User: user, Quantity: 2, PriceMinor: 1290, Currency: "EUR", State: seckill.OrderUnpaid,
		PayBy: noon().Add(15 * time.Minute), CreatedAt: noon(), Version: 1,
	}
}

func payment(of seckill.ID) seckill.Payment {
	return seckill.Payment{
		ID: paymentID, Order: of, Provider: "till", Session: "s-1", URL: "https://till.example/s-1", AmountMinor: 2580, Currency: "EUR",
		State: seckill.PaymentOpen, ExpiresAt: noon().Add(15 * time.Minute), CreatedAt: noon(),
	}
}

// fakeCheckout shows its orders, opens and cancels whatever it is asked to, and remembers how it was asked.
type fakeCheckout struct {
	orders   []seckill.Order // newest first
	payment  *seckill.Payment
	refunds  []seckill.Refund
	replayed bool
	err      error

	user     seckill.UserID
	version  int64
	query    seckill.OrderQuery
	provider string
	notice   seckill.Notice
}

func (f *fakeCheckout) find(user seckill.UserID, id seckill.ID) (seckill.Order, error) {
	f.user = user
	for _, order := range f.orders {
		if order.ID == id && order.User == user {
			return order, f.err
		}
	}
	if f.err != nil {
		return seckill.Order{}, f.err
	}
	return seckill.Order{}, seckill.Refuse(seckill.NotFound, "there is no such order")
}

func (f *fakeCheckout) Order(_ context.Context, user seckill.UserID, id seckill.ID) (checkout.OrderView, error) {
	order, err := f.find(user, id)
	return checkout.OrderView{Order: order, Payment: f.payment, Refunds: f.refunds}, err
}

func (f *fakeCheckout) Orders(_ context.Context, query seckill.OrderQuery) (checkout.Page, error) {
	f.query = query
	var page checkout.Page
	for _, order := range f.orders {
		if order.User != query.User || query.After != 0 && order.ID >= query.After {
			continue
		}
		if len(page.Orders) == query.Limit {
			page.Next = page.Orders[query.Limit-1].ID
			break
		}
		page.Orders = append(page.Orders, order)
	}
	return page, f.err
}

func (f *fakeCheckout) Cancel(_ context.Context, user seckill.UserID, id seckill.ID, version int64) (seckill.Order, error) {
	f.version = version
	order, err := f.find(user, id)
	order.State, order.Version = seckill.OrderCancelled, 2
	return order, err
}

func (f *fakeCheckout) Pay(_ context.Context, user seckill.UserID, id seckill.ID, version int64) (checkout.Receipt, error) {
	f.version = version
	order, err := f.find(user, id)
	begun := payment(id)
	if f.payment != nil {
		begun = *f.payment
	}
	return checkout.Receipt{Payment: begun, Order: order, Replayed: f.replayed}, err
}

func (f *fakeCheckout) Receive(_ context.Context, provider string, notice seckill.Notice) error {
	f.provider, f.notice = provider, notice
	return f.err
}
