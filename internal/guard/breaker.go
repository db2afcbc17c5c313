package guard

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Options are the bounds of one breaker.
type Options struct {
	// Timeout bounds one call whose context has no shorter deadline.
	Timeout time.Duration
	// FailuresMax is how many failures in a row open the breaker, Rest how long it stays open.
	FailuresMax uint32
	Rest        time.Duration
	Log         *slog.Logger
	// ProbesMax is how many calls are let through after the rest before one of them has succeeded.
	ProbesMax uint32
	// OnState, when set, is told of every change; open is true while calls are refused.
	OnState func(name string, open bool)
}

// Defaults of a breaker.
const (
	TimeoutDefault     = 5 * time.Second
	FailuresMaxDefault = 5
	RestDefault        = time.Second
	ProbesMaxDefault   = 1
)

// Breaker guards one store.
type Breaker struct {
	name    string
	timeout time.Duration
	breaker *gobreaker.CircuitBreaker[any]
}

// NewBreaker returns a closed breaker.
func NewBreaker(name string, options Options) *Breaker {
	options = options.withDefaults()
	return &Breaker{name: name, timeout: options.Timeout, breaker: gobreaker.NewCircuitBreaker[any](gobreaker.Settings{
		Name: name, MaxRequests: options.ProbesMax, Timeout: options.Rest,
		ReadyToTrip:  func(counts gobreaker.Counts) bool { return counts.ConsecutiveFailures >= options.FailuresMax },
		IsSuccessful: answered,
		OnStateChange: func(name string, from, to gobreaker.State) {
			options.Log.Warn("breaker", "store", name, "from", from.String(), "to", to.String())
			if options.OnState != nil {
				options.OnState(name, to == gobreaker.StateOpen)
			}
		},
	})}
}

func (o Options) withDefaults() Options {
	if o.Timeout == 0 {
		o.Timeout = TimeoutDefault
	}
	if o.FailuresMax == 0 {
		o.FailuresMax = FailuresMaxDefault
	}
	if o.Rest == 0 {
		o.Rest = RestDefault
	}
	if o.ProbesMax == 0 {
		o.ProbesMax = ProbesMaxDefault
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// answered says that the store did answer. A caller that gave up says nothing about the store.
func answered(err error) bool {
	if err == nil || seckill.ReasonOf(err) != "" || errors.Is(err, context.Canceled) {
		return true
	}
	for _, answer := range []error{seckill.ErrNotLive, seckill.ErrNotFound, seckill.ErrPoison, seckill.ErrEpochKnown} {
		if errors.Is(err, answer) {
			return true
		}
	}
	return false
}

// call makes one guarded call.
func call[T any](ctx context.Context, b *Breaker, do func(context.Context) (T, error)) (T, error) {
	var result T
	err := run(ctx, b, func(ctx context.Context) (err error) {
		result, err = do(ctx)
		return err
	})
	return result, err
}

// run is call for what returns nothing but an error.
func run(ctx context.Context, b *Breaker, do func(context.Context) error) error {
	_, err := b.breaker.Execute(func() (any, error) {
		ctx, cancel := context.WithTimeout(ctx, b.timeout)
		defer cancel()
		return nil, do(ctx)
	})
	if errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
		return b.rests()
	}
	return err
}

// resting is an error while every call would be refused.
func (b *Breaker) resting() error {
	if b.breaker.State() == gobreaker.StateOpen {
		return b.rests()
	}
	return nil
}

func (b *Breaker) rests() error {
	return fmt.Errorf("%s rests after failures: %w", b.name, seckill.ErrUnavailable)
}
