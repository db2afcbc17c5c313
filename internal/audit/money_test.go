package audit_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sqlstore"
)

// paidShop is a busy shop with one of everything that can become of an order: ann has paid, bea twice, cas has cancelled
// and paid all the same, eli's money is on its way back, fay has hers, gus too and his unit is to be sold again, and hal
// has paid too little.
func paidShop(t *testing.T) *shop {
	t.Helper()
	s := busyShop(t)
	for _, user := range []string{"ann", "bea", "cas", "eli", "fay", "gus", "hal"} {
		s.sell(s.reserved(user, 1, ""))
		s.begin(seckill.UserID(user))
	}
	for _, user := range []seckill.UserID{"ann", "bea", "eli", "fay", "gus"} {
		s.charge(user, string(user), s.item.PriceMinor)
	}
	s.charge("bea", "bea-2", s.item.PriceMinor)
	s.charge("hal", "hal", s.item.PriceMinor-1)
	_, cancelled, err := s.payments().Cancel(t.Context(), seckill.Cancellation{Order: s.orderOf("cas"), Cause: seckill.CauseUser})
	mustBe(t, cancelled, err)
	s.charge("cas", "cas", s.item.PriceMinor)
	for user, restock := range map[seckill.UserID]bool{"eli": false, "fay": false, "gus": true} {
		_, refunding, err := s.payments().Refund(t.Context(), seckill.RefundRequest{
			Order: s.orderOf(user), Restock: restock, Cause: seckill.CauseOperator,
		})
		mustBe(t, refunding, err)
	}
	for _, user := range []seckill.UserID{"bea", "fay", "gus"} {
		refunds, err := s.payments().RefundsOf(t.Context(), s.orderOf(user))
		must(t, err)
		done, err := s.payments().Refunded(t.Context(), refunds[0])
		mustBe(t, done, err)
	}
	return s
}

func (s *shop) payments() sqlstore.Payments { return sqlstore.Payments{Store: s.store} }

// orderOf is the id of a user's order.
func (s *shop) orderOf(user seckill.UserID) seckill.ID {
	s.t.Helper()
	return s.claimOf(user, seckill.ClaimHeld).ID
}

func (s *shop) begin(user seckill.UserID) {
	s.t.Helper()
	order := s.orderOf(user)
	_, _, begun, err := s.payments().Begin(s.t.Context(), seckill.NewPayment{
		ID: s.id(order.Bucket()), Order: order, User: user, Provider: "bank",
	})
	mustBe(s.t, begun, err)
}

func (s *shop) paymentOf(user seckill.UserID) seckill.Payment {
	s.t.Helper()
	payments, err := s.payments().PaymentsOf(s.t.Context(), s.orderOf(user))
	must(s.t, err)
	return payments[0]
}

func (s *shop) charge(user seckill.UserID, txn string, amount int64) {
	s.t.Helper()
	_, recorded, err := s.payments().Record(s.t.Context(), seckill.Charge{
		Provider: "bank", Txn: txn, Payment: s.paymentOf(user).ID, AmountMinor: amount, Currency: "EUR",
	})
	mustBe(s.t, recorded, err)
}

func TestMoney(t *testing.T) {
	t.Parallel()

	t.Run("adds up with one of everything that can become of an order", func(t *testing.T) {
		t.Parallel()
		s := paidShop(t)
		s.clean()
		if notes := fmt.Sprint(s.audit().Notes); !strings.Contains(notes, "3 refunds are still owed") { // cas, eli and hal
			t.Errorf("notes are %s", notes)
		}
		for user, state := range map[seckill.UserID]seckill.OrderState{
			"ann": seckill.OrderPaid, "bea": seckill.OrderPaid, "cas": seckill.OrderCancelled, "eli": seckill.OrderRefunding,
			"fay": seckill.OrderRefunded, "gus": seckill.OrderRefunded, "hal": seckill.OrderUnpaid,
		} {
			order, err := sqlstore.Orders{Store: s.store}.Find(t.Context(), s.orderOf(user))
			if err != nil || order.State != state {
				t.Errorf("%s's order is %s, %v", user, order.State, err)
			}
		}
	})

	t.Run("is found on a running system when an order is unpaid long after its deadline", func(t *testing.T) {
		t.Parallel()
		s := busyShop(t)
		id := s.orderOf("bob")
		late := func(by time.Duration) {
			payBy := time.Now().Add(-by)
			s.exec(s.orderShard(id), "UPDATE "+orderTable(id)+" SET pay_by = ?, created_at = ? WHERE id = ?",
				payBy.UnixMilli(), payBy.Add(-payWithin).UnixMilli(), id)
		}
		late(time.Minute)
		s.clean() // nobody is there to close it
		s.redisIs(liveState(s, 0))
		s.finds("order_overdue", orderTable(id), id.String())
		late(time.Second)
		s.clean()
	})
}

func TestLostMoney(t *testing.T) {
	t.Parallel()

	t.Run("is found when it is of no order", func(t *testing.T) {
		t.Parallel()
		s := paidShop(t)
		payment := s.paymentOf("bea")
		stray := s.id(payment.Order.Bucket())
		shard := s.orderShard(stray)
		for _, table := range []string{"payments", "charges", "refunds"} {
			s.exec(shard, "UPDATE "+table+" SET order_id = ? WHERE order_id = ?", stray, payment.Order)
		}
		s.finds("payment_without_order", "payments", payment.ID.String())
		s.finds("charge_without_order", "charges", "bank bea-2")
		s.finds("refund_without_order", "refunds", "bank bea-2")
		s.finds("order_charge", orderTable(payment.Order), payment.Order.String())
	})

	t.Run("is found when it is on a shard where nobody looks for it", func(t *testing.T) {
		t.Parallel()
		s := paidShop(t)
		payment := s.paymentOf("ann")
		other := 1 - s.orderShard(payment.Order)
		s.exec(other, `INSERT INTO payments (id, order_id, provider, session, url, amount_minor, currency, state, expires_at,
			created_at) VALUES (?, ?, 'bank', '', '', 1290, 'EUR', 'open', 1, 1)`, payment.ID, payment.Order)
		s.finds("payment_without_order", "payments", payment.ID.String())
	})
}

// An audit that reads an order, and what belongs to it a moment later, must not take what happens between for a mistake.
func TestMoneyOnTheMove(t *testing.T) {
	t.Parallel()
	s := busyShop(t)
	payments := make([]seckill.Payment, 12)
	for i := range payments {
		user := seckill.UserID(fmt.Sprintf("mover-%d", i))
		s.sell(s.reserved(string(user), 1, ""))
		s.begin(user)
		payments[i] = s.paymentOf(user)
	}
	var moving sync.WaitGroup
	over := make(chan struct{})
	moving.Go(func() {
		defer close(over)
		for i, payment := range payments {
			if err := s.through(payment, i%3 == 0); err != nil {
				t.Error(err)
			}
		}
	})
	for done := false; !done; {
		select {
		case <-over:
			done = true
		default:
		}
		s.clean()
	}
	moving.Wait()
}

// through takes an order to its end: cancelled, or refunded.
func (s *shop) through(payment seckill.Payment, cancel bool) error {
	ctx, payments, id := s.t.Context(), s.payments(), payment.Order
	if cancel {
		_, _, err := payments.Cancel(ctx, seckill.Cancellation{Order: id, Cause: seckill.CauseUser})
		return err
	}
	charge := seckill.Charge{
		Provider: "bank", Txn: id.String(), Payment: payment.ID, AmountMinor: payment.AmountMinor, Currency: "EUR",
	}
	if _, _, err := payments.Record(ctx, charge); err != nil {
		return err
	}
	charge.Txn += "-2"
	if _, _, err := payments.Record(ctx, charge); err != nil {
		return err
	}
	if _, _, err := payments.Refund(ctx, seckill.RefundRequest{Order: id, Restock: true, Cause: seckill.CauseOperator}); err != nil {
		return err
	}
	refunds, err := payments.RefundsOf(ctx, id)
	for _, refund := range refunds {
		_, failure := payments.Refunded(ctx, refund)
		err = errors.Join(err, failure)
	}
	return err
}

// moneyChange is what someone does to a user's row, and the rule that tells; the row of an order tells unless table does.
type moneyChange struct{ table, user, set, rule, tells string }

func moneyChanges() []moneyChange {
	return []moneyChange{
		{"orders", "ann", "state = 'cancelled', paid_at = 0", "order_charge", ""},
		{"orders", "ann", "state = 'refunding'", "order_steps", ""},
		{"orders", "ann", "paid_at = paid_at + 1", "order_charge", ""},
		{"orders", "cas", "paid_at = 5", "order_paid_at", ""},
		{"orders", "cas", "state = 'unpaid'", "order_return", ""},
		{"orders", "eli", "state = 'refunded'", "order_refund", ""},
		{"orders", "fay", "state = 'cancelled'", "order_return", ""},
		{"orders", "hal", "state = 'paid', paid_at = created_at", "order_charge", ""},
		{"orders", "hal", "state = 'cancelled'", "order_return", ""},
		{"payments", "ann", "amount_minor = amount_minor - 1", "payment_amount", "payments"},
		{"payments", "ann", "currency = 'USD'", "payment_amount", "payments"},
		{"payments", "ann", "state = 'open'", "payment_state", "payments"},
		{"payments", "ann", "state = 'lost'", "payment_state", "payments"},
		{"payments", "hal", "state = 'paid'", "payment_state", "payments"},
		{"payments", "ann", "expires_at = expires_at + 1", "payment_expires", "payments"},
		{"payments", "ann", "created_at = 0", "payment_created", "payments"},
		{"payments", "ann", "created_at = created_at + 3600000", "payment_created", "payments"},
		{"payments", "ann", "provider = 'other'", "charge_payment", "charges"},
		{"charges", "ann", "amount_minor = amount_minor - 1", "order_charge", ""},
		{"charges", "ann", "currency = 'USD'", "order_charge", ""},
		{"charges", "ann", "payment = 5", "charge_payment", "charges"},
		{"charges", "ann", "at = at + 600000", "order_charge", ""},
		{"charges", "ann", "at = at + 3600000", "charge_at", "charges"},
		{"charges", "ann", "refund = 'late'", "charge_reason", "charges"},
		{"charges", "ann", "refund = 'double'", "charge_refund", "charges"},
		{"charges", "ann", "refund = 'because'", "charge_reason", "charges"},
		{"charges", "ann", "refund = 'operator'", "order_charge", ""},
		{"charges", "hal", "refund = ''", "order_charge", ""},
		{"charges", "hal", "refund = 'wrong_currency'", "charge_reason", "charges"},
		{"charges", "hal", "amount_minor = 1290", "charge_reason", "charges"},
		{"charges", "cas", "refund = 'double'", "charge_reason", "charges"},
		{"refunds", "hal", "amount_minor = amount_minor + 1", "refund_charge", "refunds"},
		{"refunds", "hal", "currency = 'USD'", "refund_charge", "refunds"},
		{"refunds", "hal", "reason = 'late'", "refund_reason", "refunds"},
		{"refunds", "hal", "restock = 1", "refund_reason", "refunds"},
		{"refunds", "hal", "state = 'lost'", "refund_state", "refunds"},
		{"refunds", "hal", "state = 'done'", "refund_state", "refunds"},
		{"refunds", "hal", "tries = -1", "refund_state", "refunds"},
		{"refunds", "hal", "next_at = next_at + 36000000", "refund_next", "refunds"},
		{"refunds", "hal", "at = 0", "refund_at", "refunds"},
		{"refunds", "eli", "reason = 'late'", "refund_reason", "refunds"},
		{"refunds", "eli", "state = 'done', done_at = at", "order_refund", ""},
		{"refunds", "fay", "state = 'owed', done_at = 0", "order_refund", ""},
		{"refunds", "fay", "restock = 1", "order_return", ""},
		{"refunds", "gus", "restock = 0", "order_return", ""},
	}
}

func TestChangedMoney(t *testing.T) {
	t.Parallel()
	shared := paidShop(t)
	for _, c := range moneyChanges() {
		t.Run("is found as "+c.rule+" when someone sets "+c.set+" of "+c.user+"'s in "+c.table, func(t *testing.T) {
			id := shared.orderOf(seckill.UserID(c.user))
			table, column := c.table, "order_id"
			if table == "orders" {
				table, column = orderTable(id), "id"
			}
			key := shared.moneyKey(c.tells, c.user, id)
			s := shared.untilEnd(t, shared.orderShard(id), table)
			s.exec(s.orderShard(id), "UPDATE "+table+" SET "+c.set+" WHERE "+column+" = ?", id)
			if c.tells == "" {
				s.finds(c.rule, orderTable(id), key)
				return
			}
			s.finds(c.rule, c.tells, key)
		})
	}
}

// moneyKey names the one row that a user has in a table.
func (s *shop) moneyKey(table, user string, order seckill.ID) string {
	s.t.Helper()
	switch table {
	case "payments":
		return s.paymentOf(seckill.UserID(user)).ID.String()
	case "charges", "refunds":
		return "bank " + user
	default:
		return order.String()
	}
}

func TestMissingMoney(t *testing.T) {
	t.Parallel()
	shared := paidShop(t)
	for _, c := range []moneyChange{
		{"payments", "ann", "", "charge_payment", "charges"},
		{"charges", "ann", "", "order_charge", ""},
		{"charges", "hal", "", "refund_charge", "refunds"},
		{"refunds", "hal", "", "charge_refund", "charges"},
		{"refunds", "eli", "", "order_refund", ""},
		{"refunds", "fay", "", "order_refund", ""},
	} {
		t.Run("is found as "+c.rule+" when someone deletes what "+c.user+" has in "+c.table, func(t *testing.T) {
			id := shared.orderOf(seckill.UserID(c.user))
			key := shared.moneyKey(c.tells, c.user, id)
			s := shared.untilEnd(t, shared.orderShard(id), c.table)
			s.exec(s.orderShard(id), "DELETE FROM "+c.table+" WHERE order_id = ?", id)
			if c.tells == "" {
				c.tells = orderTable(id)
			}
			s.finds(c.rule, c.tells, key)
		})
	}
	for _, user := range []seckill.UserID{"cas", "gus"} {
		t.Run("is found when someone deletes the return that "+string(user)+"'s order owes", func(t *testing.T) {
			id := shared.orderOf(user)
			s := shared.untilEnd(t, shared.orderShard(id), "outbox")
			s.exec(s.orderShard(id), "DELETE FROM outbox WHERE claim = ? AND kind = 'return'", id)
			s.finds("order_return", orderTable(id), id.String())
		})
	}
}

// returnOf is the step that gives an order's units back.
func (s *shop) returnOf(order seckill.ID) seckill.ID {
	s.t.Helper()
	owed, err := sqlstore.Owing{Store: s.store}.Owed(s.t.Context(), s.orderShard(order), seckill.OwedReturn, 0, 10)
	must(s.t, err)
	at := slices.IndexFunc(owed, func(o seckill.Owed) bool { return o.Entry.ID == order })
	if at < 0 {
		s.t.Fatalf("nothing gives the units of %s back", order)
	}
	return owed[at].ID
}

func TestChangedReturn(t *testing.T) {
	t.Parallel()
	shared := paidShop(t)
	id := shared.orderOf("cas")
	for set, rule := range map[string]string{
		"quantity = 2":    "owed_return",
		"claim = 5":       "owed_return",
		"item = item + 1": "owed_return",
		"kind = 'back'":   "owed_kind",
		fmt.Sprintf("claim = %d", shared.orderOf("ann")): "owed_return",
	} {
		t.Run("is found as "+rule+" when someone sets its "+set, func(t *testing.T) {
			s := shared.untilEnd(t, shared.orderShard(id), "outbox")
			owed := s.returnOf(id)
			s.exec(s.orderShard(id), "UPDATE outbox SET "+set+" WHERE id = ?", owed)
			s.finds(rule, "outbox", owed.String())
		})
	}
	t.Run("is found when the units are to be returned twice", func(t *testing.T) {
		s := shared.untilEnd(t, shared.orderShard(id), "outbox")
		s.exec(s.orderShard(id), `INSERT INTO outbox (id, kind, item, epoch, user_id, claim, quantity, key_hash, at)
			SELECT ?, kind, item, epoch, user_id, claim, quantity, key_hash, at FROM outbox WHERE claim = ?`, s.id(5), id)
		s.finds("order_return", orderTable(id), id.String())
	})
	t.Run("is found when the units of an order that stands are returned", func(t *testing.T) {
		s := shared.untilEnd(t, shared.home(), "claims")
		for _, user := range []seckill.UserID{"eli", "fay"} {
			id := s.orderOf(user)
			s.exec(s.home(), "UPDATE claims SET state = 'returned' WHERE id = ?", id)
			s.finds("order_return", orderTable(id), id.String())
		}
	})
}
