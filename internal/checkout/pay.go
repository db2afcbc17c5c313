package checkout

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Receipt answers Pay. Replayed says that an earlier call opened the payment.
type Receipt struct {
	Payment  seckill.Payment
	Order    seckill.Order
	Replayed bool
}

// Pay begins the payment of one of the user's orders, or finds the one that is open. version is what the order's must be, 0
// does not ask. What cannot be paid is a conflict that shows the order as it is; a provider that is away is busy, and the
// next call goes on where this one ended.
func (s *Service) Pay(ctx context.Context, user seckill.UserID, id seckill.ID, version int64) (Receipt, error) {
	if err := s.admit(user); err != nil {
		return Receipt{}, err
	}
	if err := s.take(s.paying, BoundPayments); err != nil {
		return Receipt{}, err
	}
	defer func() { <-s.paying }()
	order, err := s.payable(ctx, user, id, version)
	if err != nil {
		return Receipt{}, err
	}
	provider, err := s.taker(order)
	if err != nil {
		return Receipt{}, err
	}
	// Read before anything is written: without it nothing could be opened.
	title, err := s.titles.of(ctx, order)
	if err != nil {
		return Receipt{}, err
	}
	receipt, err := s.attempt(ctx, order, provider, title)
	if errors.Is(err, seckill.ErrOver) {
		receipt, err = s.replace(ctx, receipt, provider, title)
	}
	if err != nil || order.AmountMinor() > 0 {
		return receipt, err
	}
	return s.give(ctx, receipt)
}

// attempt begins a payment, or finds the one there is, and sees to it that there is a place to pay. ErrOver, with the
// payment: that one leads nowhere any more.
func (s *Service) attempt(
	ctx context.Context, order seckill.Order, provider seckill.Provider, title string,
) (Receipt, error) {
	receipt, err := s.begin(ctx, order, provider)
	if err != nil || receipt.Replayed {
		return receipt, err
	}
	return s.open(ctx, receipt, provider, title)
}

// payable finds an order that may be paid, as far as can be seen without its lock.
func (s *Service) payable(ctx context.Context, user seckill.UserID, id seckill.ID, version int64) (seckill.Order, error) {
	order, err := s.find(ctx, user, id)
	switch {
	case err != nil:
		return seckill.Order{}, err
	case order.State != seckill.OrderUnpaid:
		return seckill.Order{}, unpayable(order)
	default:
		return order, order.At(version)
	}
}

// taker is who takes the money for an order.
func (s *Service) taker(order seckill.Order) (seckill.Provider, error) {
	switch {
	case order.AmountMinor() == 0:
		return Free{}, nil
	case len(s.options.Providers) == 0:
		return nil, order.Conflict("this shop takes no payments")
	default:
		return s.options.Providers[0], nil
	}
}

// begin writes our side of the payment, or finds it.
func (s *Service) begin(ctx context.Context, order seckill.Order, provider seckill.Provider) (Receipt, error) {
	id, err := s.options.IDs.Next(order.User.Bucket())
	if err != nil {
		return Receipt{}, fmt.Errorf("name a payment of order %s: %w", order.ID, err)
	}
	payment, now, begun, err := s.options.Payments.Begin(ctx, seckill.NewPayment{
		ID: id, Order: order.ID, User: order.User, Provider: provider.Name(), Lives: provider.Lives(),
	})
	switch {
	case errors.Is(err, seckill.ErrNotFound):
		return Receipt{}, noOrder()
	case err != nil:
		return Receipt{}, fmt.Errorf("begin the payment of order %s: %w", order.ID, err)
	case !begun:
		return Receipt{}, unpayable(now)
	}
	receipt := Receipt{Payment: payment, Order: order, Replayed: payment.Session != ""}
	// The database has just said how long a new one lives, whatever this machine takes for the time.
	if payment.ID != id && payment.Lapsed(now, s.options.Clock.Now()) {
		return receipt, seckill.ErrOver
	}
	return receipt, nil
}

// unpayable says why not. Only the database knows whether an unpaid order is too late; it has just said so.
func unpayable(order seckill.Order) *seckill.Refusal {
	if order.State != seckill.OrderUnpaid {
		return order.Cannot("be paid")
	}
	return order.Conflict("this order was to be paid by " + order.PayBy.UTC().Format(time.RFC3339))
}

// open has the provider make what the shopper pays at.
func (s *Service) open(ctx context.Context, receipt Receipt, provider seckill.Provider, title string) (Receipt, error) {
	session, url, err := s.ask(ctx, receipt, provider, title)
	if err != nil {
		return receipt, err
	}
	if receipt.Payment, err = s.options.Payments.Opened(ctx, receipt.Payment.ID, session, url); err != nil {
		return Receipt{}, fmt.Errorf("note the session of payment %s: %w", receipt.Payment.ID, err)
	}
	if receipt.Payment.State != seckill.PaymentOpen {
		return receipt, s.overtaken(ctx, receipt)
	}
	return receipt, nil
}

// overtaken says what became of a payment while the provider was being asked. If somebody has replaced it, the order may
// still be paid.
func (s *Service) overtaken(ctx context.Context, receipt Receipt) error {
	order, err := s.find(ctx, receipt.Order.User, receipt.Order.ID)
	switch {
	case err != nil:
		return err
	case order.State == seckill.OrderUnpaid:
		return fmt.Errorf("payment %s is %s by now: %w", receipt.Payment.ID, receipt.Payment.State, seckill.ErrOver)
	default:
		return order.Conflict(fmt.Sprintf("this payment is %s by now", receipt.Payment.State))
	}
}

func (s *Service) ask(
	ctx context.Context, receipt Receipt, provider seckill.Provider, title string,
) (session, url string, err error) {
	bounded, cancel := context.WithTimeout(ctx, s.options.ProviderTimeout)
	defer cancel()
	session, url, err = provider.Open(bounded, receipt.Payment, title)
	switch {
	case err == nil && session == "":
		err = errors.New("its answer names no session")
	case err == nil:
		return session, url, nil
	}
	s.options.Metrics.failed(provider.Name())
	switch {
	case isAway(err):
		return "", "", s.busy(receipt, err)
	case errors.Is(err, seckill.ErrRefused):
		// Somebody has to change something: the price, or the account.
		s.options.Log.Error("a payment provider takes no such payment", "payment", receipt.Payment.ID, "provider", provider.Name(),
			"amount_minor", receipt.Payment.AmountMinor, "currency", receipt.Payment.Currency, "error", err)
		return "", "", receipt.Order.Conflict("the payment provider takes no such payment")
	}
	return "", "", fmt.Errorf("open payment %s at %s: %w", receipt.Payment.ID, provider.Name(), err)
}

// isAway says that asking again may help.
func isAway(err error) bool {
	return errors.Is(err, seckill.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded)
}

func (s *Service) busy(receipt Receipt, why error) *seckill.Refusal {
	s.options.Log.Debug("payment not opened", "payment", receipt.Payment.ID, "provider", receipt.Payment.Provider, "error", why)
	return seckill.BusyFor(retryAfter, "payments cannot be opened at the moment; the order is kept until "+
		receipt.Order.PayBy.UTC().Format(time.RFC3339))
}
