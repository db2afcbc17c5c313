package guard

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
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
	// ProbesMax is how many calls are let through after the rest before one of them has succeeded.
	ProbesMax uint32
	// Probe, when set, is what closes an open breaker, and nothing else does: the calls that come meanwhile are refused,
	// none of them is sent ahead to see whether the store is back. It is made when a call comes after the rest.
	Probe func(ctx context.Context) error
	Log   *slog.Logger
	// OnState, when set, is told of every change; open is true while calls are refused.
	OnState func(name string, open bool)
}

// Defaults of a breaker.
const (
	TimeoutDefault     = 5 * time.Second
	FailuresMaxDefault = 5
	RestDefault        = time.Second
	ProbesMaxDefault   = 1
	// probeTimeout bounds a probe: nobody waits for it, and a store that is back answers sooner.
	probeTimeout = 3 * time.Second
)

// Breaker guards one store.
type Breaker struct {
	name    string
	timeout time.Duration
	breaker *gobreaker.CircuitBreaker[any]
	// failuresMax is kept for Trip.
	failuresMax uint32
	probe       func(ctx context.Context) error
	probing     atomic.Bool
	// last is what it failed with last.
	last atomic.Pointer[error]
}

// NewBreaker returns a closed breaker.
func NewBreaker(name string, options Options) *Breaker {
	options = options.withDefaults()
	b := &Breaker{name: name, timeout: options.Timeout, failuresMax: options.FailuresMax, probe: options.Probe}
	b.breaker = gobreaker.NewCircuitBreaker[any](gobreaker.Settings{
		Name: name, MaxRequests: options.ProbesMax, Timeout: options.Rest,
		ReadyToTrip:   func(counts gobreaker.Counts) bool { return counts.ConsecutiveFailures >= options.FailuresMax },
		IsSuccessful:  b.judge,
		IsExcluded:    func(err error) bool { return errors.Is(err, context.Canceled) },
		OnStateChange: options.report(b.failure),
	})
	return b
}

// judge says whether a call was answered, and keeps what it failed with.
func (b *Breaker) judge(err error) bool {
	if answered(err) {
		return true
	}
	b.last.Store(&err)
	return false
}

// failure is what it failed with last.
func (b *Breaker) failure() error {
	if last := b.last.Load(); last != nil {
		return *last
	}
	return seckill.ErrUnavailable
}

// report tells of what went away or came back, a store or a payment provider, once each; in between the breaker tries now
// and then.
func (o Options) report(failure func() error) func(name string, from, to gobreaker.State) {
	return func(name string, from, to gobreaker.State) {
		switch {
		case from == gobreaker.StateClosed:
			o.Log.Warn("no answer: left alone for a moment", "from", name, "error", failure())
		case to == gobreaker.StateClosed:
			o.Log.Info("answers come again", "from", name)
		default:
			o.Log.Debug("breaker", "of", name, "from", from.String(), "to", to.String())
		}
		if o.OnState != nil {
			o.OnState(name, to == gobreaker.StateOpen)
		}
	}
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

// answered says that the store did answer. A caller that gave up says nothing about the store and is not counted at all.
func answered(err error) bool {
	if err == nil || seckill.ReasonOf(err) != "" || errors.Is(err, context.Canceled) {
		return true
	}
	for _, answer := range []error{
		seckill.ErrNotLive, seckill.ErrNotFound, seckill.ErrPoison, seckill.ErrEpochKnown,
		seckill.ErrOver, seckill.ErrRefused,
	} {
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
func run(ctx context.Context, b *Breaker, do func(context.Context) error) error { return b.Do(ctx, do) }

// Do makes one guarded call. A refused one was not made: its error wraps seckill.ErrUnavailable.
func (b *Breaker) Do(ctx context.Context, call func(context.Context) error) error {
	if b.probe != nil && b.breaker.State() != gobreaker.StateClosed {
		b.look(ctx)
		return b.rests()
	}
	_, err := b.breaker.Execute(func() (any, error) {
		ctx, cancel := context.WithTimeout(ctx, b.timeout)
		defer cancel()
		return nil, call(ctx)
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

// rests quotes the last failure and does not wrap it: this call was not made, whatever became of that one.
func (b *Breaker) rests() error {
	return fmt.Errorf("%s rests after failures, the last one %q: %w", b.name, b.failure().Error(), seckill.ErrUnavailable)
}

// look makes the probe, beside the call that found the breaker open, once the rest is over.
func (b *Breaker) look(ctx context.Context) {
	if b.breaker.State() != gobreaker.StateHalfOpen || !b.probing.CompareAndSwap(false, true) {
		return
	}
	ctx = context.WithoutCancel(ctx)
	go func() {
		defer b.probing.Store(false)
		_, _ = b.breaker.Execute(func() (any, error) {
			ctx, cancel := context.WithTimeout(ctx, probeTimeout)
			defer cancel()
			if err := b.probe(ctx); err != nil {
				return nil, fmt.Errorf("%w: %s", seckill.ErrUnavailable, err.Error()) // also when it is a refusal: a store that is not fit is not back
			}
			return nil, nil
		})
	}()
}

// Trip opens a closed breaker, as failures in a row would: for a store that is known to be away before it was asked.
func (b *Breaker) Trip(cause error) {
	for range b.failuresMax {
		_, _ = b.breaker.Execute(func() (any, error) { return nil, cause })
	}
}
