package audit_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/seckill-dev/seckill/internal/audit"
	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sqlstore"
)

func TestCorrectionsMeanwhile(t *testing.T) {
	t.Parallel()
	t.Run("are not found while they are made", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		s.open()
		var users []seckill.UserID
		for n := range allotment {
			user := fmt.Sprintf("user-%d", n)
			users = append(users, seckill.UserID(user))
			s.sell(s.reserved(user, 1, ""))
		}
		working := sync.WaitGroup{}
		defer working.Wait()
		working.Go(func() { s.tryCancelAll(users) })
		working.Go(func() { s.tryCancelAll(users[len(users)/2:]) })
		working.Go(s.tryAdjusting)
		working.Go(s.trySealing)
		over := make(chan struct{})
		go func() { working.Wait(); close(over) }()
		for done := false; !done; {
			select {
			case <-over:
				done = true
			default:
			}
			s.wantClean() // once more when all is over
		}
		if stock := s.stock(); stock.Claimed != 0 {
			t.Fatalf("got %+v", stock)
		}
	})
}

// wantClean audits as a running system is audited: with pauses between two looks.
func (s *shop) wantClean() {
	s.t.Helper()
	report, err := audit.New(audit.Ports{
		Catalog: sqlstore.Catalog{Store: s.store}, Books: sqlstore.Books{Store: s.store},
		Claims: sqlstore.Claims{Store: s.store}, Owing: sqlstore.Owing{Store: s.store}, Shards: s.store.Shards(),
	}).Run(s.t.Context(), nil)
	if err != nil || !report.OK {
		s.t.Fatalf("does not add up: %+v, %v", report.Findings, err)
	}
}

// try reports an error without ending the test, which other goroutines may not.
func (s *shop) try(_ any, err error) {
	if err != nil {
		s.t.Error(err)
	}
}

func (s *shop) tryCancelAll(users []seckill.UserID) {
	claims, payments := sqlstore.Claims{Store: s.store}, sqlstore.Payments{Store: s.store}
	for _, user := range users {
		found, err := claims.OfUser(s.t.Context(), s.item.ID, user)
		s.try(nil, err)
		for _, claim := range found {
			_, _, err := payments.Cancel(s.t.Context(), seckill.Cancellation{Order: claim.ID, User: user, Cause: seckill.CauseUser})
			s.try(nil, err)
			s.try(s.stocks().Return(s.t.Context(), s.item.ID, []seckill.Return{{Claim: claim.ID}}))
			_, _, err = s.stocks().Issue(s.t.Context(), s.item.ID)
			s.try(nil, err)
		}
	}
}

func (s *shop) tryAdjusting() {
	for n := range allotment {
		delta := int64(2*(n%2)-1) * 2 // less, more, less, more
		s.try(s.stocks().Adjust(s.t.Context(), seckill.Adjustment{Item: s.item.ID, Op: fmt.Sprintf("op-%d", n), Delta: delta}))
	}
}

func (s *shop) trySealing() {
	for range allotment {
		s.try(s.stocks().Seal(s.t.Context(), seckill.SealRequest{Item: s.item.ID}))
		stock, err := s.stocks().Get(s.t.Context(), s.item.ID)
		s.try(nil, err)
		attempt, err := s.store.IDs().Next(0)
		s.try(nil, err)
		next, _, err := s.stocks().Rebuild(s.t.Context(), seckill.Rebuild{
			Item: s.item.ID, Epoch: stock.Epoch, From: stock.State, Attempt: stock.Attempt, NextAttempt: attempt,
		})
		s.try(nil, err)
		s.try(s.stocks().Open(s.t.Context(), s.item.ID, next.Epoch, next.Attempt))
	}
}
