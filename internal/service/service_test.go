package service_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seckill-dev/seckill/internal/service"
)

// A bubble ends only when every goroutine in it has, so each of these tests also shows that nothing leaks.

// diary notes in which order stages begin, are asked to stop and end.
type diary struct {
	mu    sync.Mutex
	lines []string
}

func (d *diary) note(line string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, line)
}

func (d *diary) read() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.lines)
}

// stage works until it is asked to stop and then takes its time.
func (d *diary) stage(name string, takes time.Duration) service.Stage {
	return service.Stage{Name: name, StopWithin: time.Second, Run: func(ctx context.Context) error {
		<-ctx.Done()
		d.note(name + " asked")
		<-time.After(takes)
		d.note(name + " ended")
		return ctx.Err()
	}}
}

// failing returns err after a second, asked or not.
func failing(name string, err error) service.Stage {
	return service.Stage{Name: name, StopWithin: time.Second, Run: func(context.Context) error {
		<-time.After(time.Second)
		return err
	}}
}

// stuck goes on after it was asked to stop, until the test is over.
func stuck(name string, over <-chan struct{}) service.Stage {
	return service.Stage{Name: name, StopWithin: time.Second, Run: func(context.Context) error {
		<-over
		return nil
	}}
}

// runFor runs the stages until the process would be told to end.
func runFor(t *testing.T, d time.Duration, stages ...service.Stage) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	return service.Run(ctx, slog.New(slog.DiscardHandler), stages...)
}

func TestRunStops(t *testing.T) {
	t.Parallel()

	t.Run("stages one after the other, the last one first", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var d diary
			err := runFor(t, time.Minute,
				d.stage("store", 0), d.stage("worker", 500*time.Millisecond), d.stage("listener", 900*time.Millisecond))
			if err != nil {
				t.Errorf("a clean stop failed: %v", err)
			}
			want := []string{
				"listener asked", "listener ended", "worker asked", "worker ended", "store asked", "store ended",
			}
			if got := d.read(); !slices.Equal(got, want) {
				t.Errorf("stopped as %q, want %q", got, want)
			}
		})
	})

	t.Run("all stages in order when one fails", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var d diary
			broken := errors.New("disk full")
			err := runFor(t, time.Hour, d.stage("store", 0), failing("worker", broken), d.stage("listener", 0))
			if !errors.Is(err, broken) || !strings.Contains(err.Error(), "worker: disk full") {
				t.Errorf("got %v, want the worker's failure by name", err)
			}
			want := []string{"listener asked", "listener ended", "store asked", "store ended"}
			if got := d.read(); !slices.Equal(got, want) {
				t.Errorf("stopped as %q, want %q", got, want)
			}
		})
	})

	t.Run("all stages when one ends by itself", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var d diary
			err := runFor(t, time.Hour, d.stage("store", 0), failing("jobs", nil))
			if !errors.Is(err, service.ErrEnded) || !strings.Contains(err.Error(), "jobs") {
				t.Errorf("got %v, want ErrEnded of jobs", err)
			}
		})
	})
}

func TestRunReports(t *testing.T) {
	t.Parallel()

	t.Run("the stage that overran, and stops the others all the same", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var d diary
			over := make(chan struct{})
			defer close(over)
			began := time.Now()
			err := runFor(t, time.Minute, d.stage("store", 0), stuck("worker", over))
			if !errors.Is(err, service.ErrOverrun) || !strings.Contains(err.Error(), "worker") {
				t.Errorf("got %v, want ErrOverrun of worker", err)
			}
			if took := time.Since(began); took != time.Minute+time.Second {
				t.Errorf("took %v, want the minute it ran and the worker's second", took)
			}
			if got := d.read(); !slices.Equal(got, []string{"store asked", "store ended"}) {
				t.Errorf("stopped as %q, want the store stopped too", got)
			}
		})
	})

	t.Run("every failure, those on the way down included", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			first, second := errors.New("lost the file"), errors.New("lost the port")
			flush := service.Stage{Name: "store", StopWithin: time.Second, Run: func(ctx context.Context) error {
				<-ctx.Done()
				return first
			}}
			err := runFor(t, time.Hour, flush, failing("listener", second))
			if !errors.Is(err, first) || !errors.Is(err, second) {
				t.Errorf("got %v, want both failures", err)
			}
		})
	})

	t.Run("a cancellation nobody asked for as a failure", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			err := runFor(t, time.Hour, failing("worker", context.Canceled))
			if !errors.Is(err, context.Canceled) {
				t.Errorf("got %v, want the cancellation", err)
			}
		})
	})
}

func TestRunKeepsTheCallersEndFromAllStagesButTheLast(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var d diary
		ended := make(chan error, 1)
		go func() {
			ended <- service.Run(ctx, slog.New(slog.DiscardHandler), d.stage("store", 0), d.stage("listener", 500*time.Millisecond))
		}()
		synctest.Wait()
		cancel()
		synctest.Wait()
		if got := d.read(); !slices.Equal(got, []string{"listener asked"}) {
			t.Errorf("after the end was asked for: %q, want the listener alone", got)
		}
		if err := <-ended; err != nil {
			t.Errorf("a clean stop failed: %v", err)
		}
	})
}

func TestRunRefusesASlipInTheWiring(t *testing.T) {
	t.Parallel()
	idle := func(ctx context.Context) error { <-ctx.Done(); return nil }
	for name, stage := range map[string]service.Stage{
		"a stage without a name":            {Run: idle, StopWithin: time.Second},
		"a stage with nothing to run":       {Name: "jobs", StopWithin: time.Second},
		"a stage without a bound on a stop": {Name: "jobs", Run: idle},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := service.Run(t.Context(), slog.New(slog.DiscardHandler), stage); err == nil {
				t.Error("started it")
			}
		})
	}
}
