package app_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/sandbox"
	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	// Each of latecomers pays for ordersOfEach orders: the first inTime of them before their deadlines, the last tooLate after
	// them, and those between aroundIt before or after, as far as the shop can be told in that time.
	latecomers   = 20
	ordersOfEach = 100
	inTime       = 10
	tooLate      = 10
	aroundIt     = 25 * time.Millisecond
	// paceMax is the longest time between two payments: a shop that takes longer for one will be told of most too late.
	paceMax = 5 * time.Millisecond
	// payersAtOnce tell the shop of payments.
	payersAtOnce = 16
)

// paysAtTheDeadline is about 2,000 orders whose payment and deadline fall within the same 50 ms.
func paysAtTheDeadline(t *testing.T) {
	t.Parallel()
	s, bank := newShop(t), &vault{}
	s.start(bank.option(s))
	s.preload(latecomers*ordersOfEach, ordersOfEach, -time.Second, time.Hour)
	s.awaitLive()
	s.orderInBulk()
	for n := range latecomers {
		s.payAround(bank, user(n))
	}
	s.await("every order has ended", func() bool { return s.count(seckill.OrderUnpaid) == 0 })
	paid, cancelled := s.count(seckill.OrderPaid), s.count(seckill.OrderCancelled)
	if paid+cancelled != latecomers*ordersOfEach || paid < latecomers*inTime || cancelled < latecomers*tooLate {
		t.Errorf("%d paid, %d cancelled of %d", paid, cancelled, latecomers*ordersOfEach)
	}
	kept, near := s.paidFor()
	t.Logf("%d were in time, %d were not; %d came within %v of their deadlines", paid, cancelled, near, aroundIt)
	s.await("the bank keeps what was paid for, and the rest went back", func() bool {
		standing, back := bank.standing()
		return maps.Equal(standing, kept) && int64(back) == cancelled
	})
	s.await("and so did the units", func() bool { return s.stock().Claimed == paid && s.owes() == 0 })
	s.auditFindsNothing()
}

// orderInBulk has everybody order all of theirs.
func (s *shop) orderInBulk() {
	s.t.Helper()
	s.crowd(latecomers*ordersOfEach, func(n int) {
		if _, err := s.insist(user(n%latecomers), 1, key(n)); err != nil {
			s.t.Error(err)
		}
	})
	s.await("all is ordered", func() bool { return s.orders() == latecomers*ordersOfEach })
}

// payAround has somebody pay all of his orders around their deadlines, which are set as the shop is found to keep up.
func (s *shop) payAround(bank *vault, who seckill.UserID) {
	s.t.Helper()
	payments := s.beginAll(who)
	began := time.Now()
	s.payAll(bank, payments[:inTime])
	each := min(time.Since(began)/inTime, paceMax)
	s.setDeadlines(who, payments, each)
	s.payAll(bank, payments[inTime:ordersOfEach-tooLate])
	late := payments[ordersOfEach-tooLate:]
	<-time.After(time.Until(late[tooLate-1].ExpiresAt))
	s.payAll(bank, late)
}

// payAll pays in their order, and has the shop told of it.
func (s *shop) payAll(bank *vault, payments []seckill.Payment) {
	s.t.Helper()
	var all sync.WaitGroup
	next := make(chan seckill.Payment)
	for range payersAtOnce {
		all.Go(func() {
			for payment := range next {
				notice, err := bank.take(payment)
				if err = errors.Join(err, s.tell(notice)); err != nil {
					s.t.Errorf("payment %s: %v", payment.ID, err)
				}
			}
		})
	}
	for _, payment := range payments {
		next <- payment
	}
	close(next)
	all.Wait()
}

// beginAll begins to pay all orders of a user, behind the shop's back: each payment goes by the name of its order.
func (s *shop) beginAll(who seckill.UserID) []seckill.Payment {
	s.t.Helper()
	var payments []seckill.Payment
	for _, order := range s.ordersOf(who) {
		payments = append(payments, seckill.Payment{
			ID: order.ID, Order: order.ID, AmountMinor: order.AmountMinor(), Currency: order.Currency, ExpiresAt: order.PayBy,
		})
	}
	s.atOrdersOf(who, func(tx *sql.Tx, orders string) error {
		_, err := tx.ExecContext(s.t.Context(), "INSERT INTO payments (id, order_id, provider, session, url, amount_minor, currency, state, "+
			"expires_at, created_at) SELECT id, id, ?, '', '', price_minor * quantity, currency, ?, pay_by, created_at FROM "+orders+
			" WHERE user_id = ?", sandbox.Name, seckill.PaymentOpen, who)
		return err
	})
	return payments
}

// setDeadlines gives each order the deadline at which the shop will be told of its payment, if it goes on at that pace, and
// the first of these to those that are paid.
func (s *shop) setDeadlines(who seckill.UserID, payments []seckill.Payment, each time.Duration) {
	s.t.Helper()
	s.atOrdersOf(who, func(tx *sql.Tx, orders string) error {
		first := time.Now().Add(aroundIt) // and nobody pays them meanwhile: they are locked
		cases, args := "CASE id", []any{}
		for n := range payments {
			payments[n].ExpiresAt = first.Add(each * time.Duration(max(0, n-inTime)))
			cases += " WHEN ? THEN ?"
			args = append(args, payments[n].Order, payments[n].ExpiresAt.UnixMilli())
		}
		of := " WHERE user_id = ?"
		return execAll(s.t.Context(), tx, []statement{
			{"UPDATE " + orders + " SET pay_by = " + cases + " END" + of, append(args, who)},
			{"UPDATE " + orders + " SET created_at = pay_by - ?" + of, []any{s.payWithin.Milliseconds(), who}},
			{"UPDATE payments SET expires_at = " + cases + " END WHERE order_id IN (SELECT id FROM " + orders + of + ")", append(args, who)},
		})
	})
}

type statement struct {
	text string
	args []any
}

func execAll(ctx context.Context, tx *sql.Tx, all []statement) error {
	for _, s := range all {
		if _, err := tx.ExecContext(ctx, s.text, s.args...); err != nil {
			return err
		}
	}
	return nil
}

// atOrdersOf locks a user's orders, which are in one table, and changes them behind the shop's back.
func (s *shop) atOrdersOf(who seckill.UserID, change func(tx *sql.Tx, orders string) error) {
	s.t.Helper()
	shard := seckill.UserShard(s.system.Backend.Shards, who)
	orders := fmt.Sprintf("orders_%02d", who.Bucket()%16)
	write, _, err := s.stocks().SQL(shard)
	if err != nil {
		s.t.Fatal(err)
	}
	s.await("orders are changed", func() bool { // a keeper may be in the way
		tx, err := write.BeginTx(s.t.Context(), nil)
		if err != nil {
			return false
		}
		_, err = tx.ExecContext(s.t.Context(), "UPDATE "+orders+" SET version = version WHERE user_id = ?", who)
		if err == nil {
			err = change(tx, orders)
		}
		if err != nil {
			s.t.Log(errors.Join(err, tx.Rollback()))
			return false
		}
		return tx.Commit() == nil
	})
}

func (s *shop) ordersOf(who seckill.UserID) []seckill.Order {
	s.t.Helper()
	orders, err := s.system.Backend.Orders.OfUser(s.t.Context(), seckill.OrderQuery{User: who, Limit: ordersOfEach})
	if err != nil || len(orders) != ordersOfEach {
		s.t.Fatalf("%s has %d orders: %v", who, len(orders), err)
	}
	return orders
}

// tell has the shop believe a notice, as the bank does: again until it is taken.
func (s *shop) tell(notice seckill.Notice) error {
	return insistently(func() error { return s.system.Checkout.Receive(s.t.Context(), "sandbox", notice) })
}

// insistently repeats what passes.
func insistently(do func() error) error {
	for late := time.After(patience); ; {
		err := do()
		if !passes(err) {
			return err
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-late:
			return err
		}
	}
}

// count counts the item's orders in a state.
func (s *shop) count(state seckill.OrderState) (sum int64) {
	s.t.Helper()
	for shard := range s.system.Backend.Shards.Count() {
		counts, err := s.system.Backend.Orders.Count(s.t.Context(), shard, s.item.ID)
		if err != nil {
			s.t.Fatal(err)
		}
		sum += counts[state].Orders
	}
	return sum
}

// paidFor is what was paid for, by our books, and how many charges came close to a deadline.
func (s *shop) paidFor() (kept map[seckill.ID]int64, near int) {
	s.t.Helper()
	kept = map[seckill.ID]int64{}
	for n := range latecomers {
		deadlines, ids := map[seckill.ID]time.Time{}, []seckill.ID{}
		for _, order := range s.ordersOf(user(n)) {
			deadlines[order.ID], ids = order.PayBy, append(ids, order.ID)
		}
		money, err := s.system.Backend.Books.MoneyOf(s.t.Context(), seckill.UserShard(s.system.Backend.Shards, user(n)), ids)
		if err != nil {
			s.t.Fatal(err)
		}
		for _, charge := range money.Charges {
			if charge.Refund == "" {
				kept[charge.Payment] += charge.AmountMinor
			}
			if charge.At.Sub(deadlines[charge.Order]).Abs() <= aroundIt {
				near++
			}
		}
	}
	return kept, near
}
