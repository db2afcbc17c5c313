package checkout

import (
	"context"
	"errors"
	"fmt"

	"github.com/seckill-dev/seckill/internal/rate"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// Service is the use case. Safe for concurrent use.
type Service struct {
	options   Options
	providers map[string]seckill.Provider
	titles    *titles
	users     *rate.Users
	// paying and noticing hold a place for each payment that is being opened and each notice that is being recorded.
	paying   chan struct{}
	noticing chan struct{}
}

// New returns the use case. It asks no store and no provider.
func New(options Options) (*Service, error) {
	if err := options.check(); err != nil {
		return nil, err
	}
	providers, err := options.byName()
	if err != nil {
		return nil, err
	}
	options = options.withDefaults()
	return &Service{
		options: options, providers: providers, titles: newTitles(options.Catalog),
		users:  rate.NewUsers(options.UserRate, options.UserBurst, options.UsersMax),
		paying: make(chan struct{}, options.PaymentsMax), noticing: make(chan struct{}, options.NoticesMax),
	}, nil
}

// take takes a place, or refuses; the caller gives it back.
func (s *Service) take(places chan struct{}, bound Bound) error {
	select {
	case places <- struct{}{}:
		return nil
	default:
		s.options.Metrics.hit(bound)
		return seckill.BusyFor(retryAfter, "too many "+string(bound)+" at once")
	}
}

// admit refuses who changes orders too often. Reading them is not counted: shoppers wait for the end of a payment.
func (s *Service) admit(user seckill.UserID) error {
	if wait := s.users.Take(user, s.options.Clock.Now()); wait > 0 {
		s.options.Metrics.hit(BoundUserRate)
		return &seckill.Refusal{Reason: seckill.RateLimited, Detail: "too many payments and cancellations at once", RetryAfter: wait}
	}
	return nil
}

// find reads an order of this user.
func (s *Service) find(ctx context.Context, user seckill.UserID, id seckill.ID) (seckill.Order, error) {
	if !mayOwn(user, id) {
		return seckill.Order{}, noOrder()
	}
	order, err := s.options.Orders.Find(ctx, id)
	if errors.Is(err, seckill.ErrNotFound) || err == nil && order.User != user {
		return seckill.Order{}, noOrder()
	}
	if err != nil {
		return seckill.Order{}, fmt.Errorf("find order %s: %w", id, err)
	}
	return order, nil
}

// mayOwn spares the store what cannot be: an order's id is made in its user's bucket.
func mayOwn(user seckill.UserID, order seckill.ID) bool { return order.Bucket() == user.Bucket() }

func noOrder() *seckill.Refusal { return seckill.Refuse(seckill.NotFound, "there is no such order") }
