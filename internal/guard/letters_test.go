package guard

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// fakeDesk answers as it is told; silent it never does.
type fakeDesk struct {
	answer error
	silent bool
	asked  int
}

func (d *fakeDesk) ask(ctx context.Context) error {
	d.asked++
	if d.silent {
		<-ctx.Done()
		return ctx.Err()
	}
	return d.answer
}

func (d *fakeDesk) List(ctx context.Context, _ seckill.ID, _ int) ([]seckill.DeadLetter, error) {
	return []seckill.DeadLetter{{ID: 7}}, d.ask(ctx)
}

func (d *fakeDesk) Letter(ctx context.Context, id seckill.ID) (seckill.DeadLetter, error) {
	return seckill.DeadLetter{ID: id}, d.ask(ctx)
}

func (d *fakeDesk) Replay(ctx context.Context, _ seckill.ID) error  { return d.ask(ctx) }
func (d *fakeDesk) Discard(ctx context.Context, _ seckill.ID) error { return d.ask(ctx) }

func (l Letters) everything(ctx context.Context) (errs []error) {
	letters, err := l.List(ctx, 0, 1)
	errs = append(errs, err)
	letter, err := l.Letter(ctx, 7)
	errs = append(errs, err)
	if err == nil && (len(letters) != 1 || letters[0].ID != letter.ID) {
		errs = append(errs, errors.New("a letter was lost"))
	}
	return append(errs, l.Replay(ctx, 7), l.Discard(ctx, 7))
}

func TestLetters(t *testing.T) {
	t.Parallel()
	t.Run("passes on what it is told, and that a letter is gone is an answer", func(t *testing.T) {
		t.Parallel()
		desk := &fakeDesk{}
		l := NewLetters(desk, NewBreaker("letters", Options{FailuresMax: 1}))
		for _, answer := range []error{nil, seckill.ErrNotFound, nil} {
			desk.answer = answer
			for i, err := range l.everything(t.Context()) {
				if !errors.Is(err, answer) {
					t.Errorf("call %d says %v, not %v", i, err, answer)
				}
			}
		}
	})
	t.Run("leaves a broker alone that never answers, and asks again after a rest", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, leavesAlone)
	})
}

func leavesAlone(t *testing.T) {
	t.Helper()
	desk := &fakeDesk{silent: true}
	l := NewLetters(desk, NewBreaker("letters", Options{Timeout: time.Second, FailuresMax: 2, Rest: time.Minute}))
	for _, err := range l.everything(t.Context()) {
		if !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, seckill.ErrUnavailable) {
			t.Errorf("said %v", err)
		}
	}
	if desk.asked != 2 {
		t.Errorf("asked %d times", desk.asked)
	}
	time.Sleep(time.Minute + time.Second) //nolint:forbidigo // the bubble's clock, not a wait
	desk.silent = false
	if err := errors.Join(l.everything(t.Context())...); err != nil {
		t.Error(err)
	}
}
