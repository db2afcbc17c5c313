package app_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/operate"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// TestOperators has two of them act on one sale that both have seen at the same version.
func TestOperators(t *testing.T) {
	t.Parallel()
	t.Run("act once at one version: the other hears of a conflict and the present state", actOnce)
}

func actOnce(t *testing.T) {
	t.Parallel()
	s := openSale(t, 10, 1)
	desk := s.system.Operate
	s.await("the clock has started the sale", func() bool { return s.sale().State == seckill.SaleLive })
	turn := func(act operate.SaleAct) func(version int64) error {
		return func(version int64) error {
			_, err := desk.Turn(t.Context(), operate.Turn{Actor: "ada", Sale: s.item.Sale, Act: act, Version: version})
			return err
		}
	}
	longer := func(version int64) error {
		ends := time.Now().Add(2 * time.Hour)
		_, err := desk.Update(t.Context(), "ben", s.item.Sale, operate.Patch{Version: version, EndsAt: &ends})
		return err
	}
	for _, acts := range [][2]func(version int64) error{
		{turn(operate.ActPause), longer}, {longer, longer}, {turn(operate.ActPause), turn(operate.ActPause)}, {turn(operate.ActEnd), longer},
	} {
		s.await("it is on sale", func() bool {
			_, err := desk.Resume(t.Context(), "ada", s.item.Sale)
			return err == nil
		})
		s.collide(acts)
	}
	s.addsUp()
}

// collide has two act at once on the version they see: one act was done, and whoever did not do it has been told how things
// stand now. That one could not be told of it by a busy machine is no answer.
func (s *shop) collide(acts [2]func(version int64) error) {
	s.t.Helper()
	before := s.sale()
	var answers [2]error
	var both sync.WaitGroup
	for i, act := range acts {
		both.Go(func() {
			s.await("an answer", func() bool {
				answers[i] = act(before.Version)
				return !passes(answers[i])
			})
		})
	}
	both.Wait()
	after, won := s.sale(), 0
	for _, err := range answers {
		var refusal *seckill.Refusal
		switch {
		case err == nil:
			won++
		case !errors.As(err, &refusal) || refusal.Reason != seckill.Conflict:
			s.t.Errorf("the other hears %v", err)
		case refusal.Sale == nil || refusal.Sale.Version != after.Version || refusal.Sale.State != after.State:
			s.t.Errorf("the other is shown %+v, the sale is %s at version %d", refusal.Sale, after.State, after.Version)
		}
	}
	if won > 1 || after.Version != before.Version+1 {
		s.t.Errorf("%d have won, the sale went from version %d to %d", won, before.Version, after.Version)
	}
}

// passes says that asking again helps.
func passes(err error) bool {
	return errors.Is(err, seckill.ErrTransient) || errors.Is(err, seckill.ErrUnavailable) || seckill.ReasonOf(err) == seckill.Busy ||
		errors.Is(err, context.DeadlineExceeded)
}

// sale is the one whose item is sold, as the catalog has it.
func (s *shop) sale() seckill.Sale {
	s.t.Helper()
	sale, err := s.system.Backend.Catalog.Sale(s.t.Context(), s.item.Sale)
	if err != nil {
		s.t.Fatal(err)
	}
	return sale
}
