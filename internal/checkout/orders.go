package checkout

import (
	"context"
	"fmt"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// pageMax bounds one page of orders.
const pageMax = 100

// OrderView is an order as its shopper sees it.
type OrderView struct {
	Order seckill.Order
	// Payment is the attempt that counts: the one that was paid, else the open one, else the last one. Nil: there is none.
	Payment *seckill.Payment
	// Refunds are what goes back or has gone back, oldest first.
	Refunds []seckill.Refund
}

// Page is one page of a shopper's orders, newest first.
type Page struct {
	Orders []seckill.Order
	// Next is the After of the next page, 0 on the last one.
	Next seckill.ID
}

// Order shows one of the user's orders.
func (s *Service) Order(ctx context.Context, user seckill.UserID, id seckill.ID) (OrderView, error) {
	order, err := s.find(ctx, user, id)
	if err != nil {
		return OrderView{}, err
	}
	payments, err := s.options.Payments.PaymentsOf(ctx, id)
	if err != nil {
		return OrderView{}, fmt.Errorf("read the payments of order %s: %w", id, err)
	}
	view := OrderView{Order: order, Payment: counting(payments)}
	if view.Payment == nil {
		return view, nil // no payment, no money
	}
	if view.Refunds, err = s.options.Payments.RefundsOf(ctx, id); err != nil {
		return OrderView{}, fmt.Errorf("read the refunds of order %s: %w", id, err)
	}
	if view.Payment.State == seckill.PaymentPaid && order.State == seckill.OrderUnpaid {
		// Both change at once, so it was paid after the order was read. Nobody is shown a paid payment that paid nothing.
		view.Order, err = s.find(ctx, user, id)
	}
	return view, err
}

// Orders shows a page of a user's orders.
func (s *Service) Orders(ctx context.Context, query seckill.OrderQuery) (Page, error) {
	size := min(max(query.Limit, 1), pageMax)
	query.Limit = size + 1 // one more tells whether there is a next page
	orders, err := s.options.Orders.OfUser(ctx, query)
	if err != nil {
		return Page{}, fmt.Errorf("list orders: %w", err)
	}
	if len(orders) <= size {
		return Page{Orders: orders}, nil
	}
	return Page{Orders: orders[:size], Next: orders[size-1].ID}, nil
}

// counting picks the attempt that matters to the shopper.
func counting(payments []seckill.Payment) *seckill.Payment {
	var found *seckill.Payment
	for i := range payments {
		if found == nil || rank(payments[i].State) >= rank(found.State) {
			found = &payments[i]
		}
	}
	return found
}

func rank(state seckill.PaymentState) int {
	switch state {
	case seckill.PaymentPaid:
		return 2
	case seckill.PaymentOpen:
		return 1
	default:
		return 0
	}
}
