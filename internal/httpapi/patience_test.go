package httpapi_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seckill-dev/seckill/internal/httpapi"
)

func TestPatience(t *testing.T) {
	t.Parallel()
	t.Run("ends in time for who waits, who asks, and who waits on what came of it", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			ctx, end := httpapi.NewPatience(t.Context(), time.Second)
			defer end()
			time.Sleep(time.Second - 1) //nolint:forbidigo // the bubble's clock
			if ctx.Err() != nil {
				t.Errorf("before: %v", ctx.Err())
			}
			derived, cancel := context.WithCancel(ctx)
			defer cancel()
			<-derived.Done()
			if until, ok := ctx.Deadline(); !ok || time.Until(until) != 0 {
				t.Errorf("it ended %v from its deadline", time.Until(until))
			}
			if !errors.Is(ctx.Err(), context.DeadlineExceeded) || !errors.Is(derived.Err(), context.DeadlineExceeded) {
				t.Errorf("after: %v, %v", ctx.Err(), derived.Err())
			}
			unasked, endOther := httpapi.NewPatience(t.Context(), 0)
			defer endOther()
			if !errors.Is(unasked.Err(), context.DeadlineExceeded) {
				t.Errorf("without anybody who waits: %v", unasked.Err())
			}
		})
	})
}

func TestPatienceWithTheRequest(t *testing.T) {
	t.Parallel()
	for name, waits := range map[string]bool{"asks": false, "waits": true} {
		t.Run("ends with the request, and no later than it, for who "+name, func(t *testing.T) {
			t.Parallel()
			request, leave := context.WithTimeout(t.Context(), time.Minute)
			defer leave()
			ctx, end := httpapi.NewPatience(request, time.Hour)
			defer end()
			if until, ok := ctx.Deadline(); !ok || time.Until(until) > time.Minute {
				t.Errorf("the deadline is in %v", time.Until(until))
			}
			leave()
			if waits {
				<-ctx.Done()
			}
			if !errors.Is(ctx.Err(), context.Canceled) {
				t.Errorf("%v after the request has ended", ctx.Err())
			}
		})
	}
}
