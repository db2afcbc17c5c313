package guard

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

var errBroken = errors.New("connection reset")

func fail(b *Breaker, err error) error {
	return run(context.Background(), b, func(context.Context) error { return err })
}

func TestBreaker(t *testing.T) {
	t.Parallel()
	t.Run("opens after failures in a row and answers unavailable without asking", func(t *testing.T) {
		t.Parallel()
		b := NewBreaker("redis", Options{FailuresMax: 3})
		for range 3 {
			if err := fail(b, errBroken); !errors.Is(err, errBroken) {
				t.Fatal(err)
			}
		}
		err := run(t.Context(), b, func(context.Context) error {
			t.Error("asked while it is open")
			return nil
		})
		if !errors.Is(err, seckill.ErrUnavailable) {
			t.Fatalf("got %v, want unavailable", err)
		}
	})
	t.Run("says what the last call failed with, in its warning too", saysTheLastFailure)
	t.Run("closes again when the store answers after its rest", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			b := NewBreaker("redis", Options{FailuresMax: 1, Rest: time.Second})
			_ = fail(b, errBroken)
			time.Sleep(time.Second + time.Millisecond) //nolint:forbidigo // the bubble's clock, not a wait
			if err := fail(b, nil); err != nil {
				t.Fatalf("half-open: %v", err)
			}
			if err := fail(b, nil); err != nil {
				t.Fatalf("closed: %v", err)
			}
		})
	})
	t.Run("bounds a call", func(t *testing.T) {
		t.Parallel()
		b := NewBreaker("redis", Options{Timeout: time.Millisecond})
		_, err := call(t.Context(), b, func(ctx context.Context) (int, error) {
			<-ctx.Done()
			return 0, ctx.Err()
		})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("got %v", err)
		}
	})
}

func saysTheLastFailure(t *testing.T) {
	t.Parallel()
	var lines bytes.Buffer
	b := NewBreaker("redis", Options{FailuresMax: 1, Log: slog.New(slog.NewTextHandler(&lines, nil))})
	_ = fail(b, errBroken)
	err := fail(b, nil)
	if errors.Is(err, errBroken) || !strings.Contains(err.Error(), errBroken.Error()) {
		t.Errorf("got %v", err)
	}
	if !strings.Contains(lines.String(), errBroken.Error()) {
		t.Errorf("the log says %s", lines.String())
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	for _, answer := range []error{
		nil, seckill.ErrNotLive, seckill.ErrNotFound, seckill.ErrPoison, seckill.ErrEpochKnown,
		seckill.Refuse(seckill.Conflict, "lost a race"), context.Canceled,
	} {
		t.Run(fmt.Sprintf("stays closed on the answer %v", answer), func(t *testing.T) {
			t.Parallel()
			b := NewBreaker("sql", Options{FailuresMax: 1})
			_ = fail(b, answer)
			if err := fail(b, nil); err != nil {
				t.Fatal(err)
			}
		})
	}
	for _, failure := range []error{seckill.ErrUnavailable, seckill.ErrTransient, context.DeadlineExceeded, errBroken} {
		t.Run(fmt.Sprintf("opens on the failure %v", failure), func(t *testing.T) {
			t.Parallel()
			b := NewBreaker("sql", Options{FailuresMax: 1})
			_ = fail(b, failure)
			if err := fail(b, nil); !errors.Is(err, seckill.ErrUnavailable) {
				t.Fatalf("got %v", err)
			}
		})
	}
}

// probed is a breaker whose store answers its probe as told, and counts.
type probed struct {
	*Breaker
	answer error
	asked  int
}

func newProbed() *probed {
	p := &probed{answer: errBroken}
	p.Breaker = NewBreaker("shard", Options{FailuresMax: 1, Rest: time.Second, Probe: func(context.Context) error {
		p.asked++
		return p.answer
	}})
	return p
}

// call makes a call a rest later and waits for the probe it may have caused; it says whether the call was let through.
func (p *probed) call() (made bool) {
	time.Sleep(time.Second + time.Millisecond) //nolint:forbidigo // the bubble's clock, not a wait
	_ = p.Do(context.Background(), func(context.Context) error { made = true; return nil })
	synctest.Wait()
	return made
}

func TestProbe(t *testing.T) {
	t.Parallel()
	t.Run("closes the breaker, and no call is sent ahead", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			p := newProbed()
			p.Trip(errBroken)
			if p.call() || p.asked != 1 {
				t.Fatalf("asked %d times", p.asked)
			}
			p.answer = nil
			if p.call() || p.asked != 2 {
				t.Fatalf("asked %d times", p.asked)
			}
			if !p.call() || p.asked != 2 {
				t.Fatal("the store is back")
			}
		})
	})
	t.Run("keeps the breaker open when the store answers that it is not fit", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			p := newProbed()
			p.Trip(errBroken)
			p.answer = seckill.InvalidField("shards", "another system's")
			for asked := range 2 {
				if p.call() || p.asked != asked+1 {
					t.Fatalf("asked %d times", p.asked)
				}
			}
		})
	})
}

func TestBreakerDoesNotCountCallersWhoGaveUp(t *testing.T) {
	t.Parallel()
	b := NewBreaker("sql", Options{FailuresMax: 2})
	_ = fail(b, errBroken)
	_ = fail(b, context.Canceled)
	_ = fail(b, errBroken)
	if err := fail(b, nil); !errors.Is(err, seckill.ErrUnavailable) {
		t.Fatalf("got %v: a caller who gave up is no proof that the store answers", err)
	}
}
