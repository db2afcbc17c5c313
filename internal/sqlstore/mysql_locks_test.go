package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sqlstore"
)

// hold locks an item's stock row in a transaction of the store's own writers and sends nothing more, as a process does
// that is stopped in the middle of T1.
func hold(t *testing.T, store *sqlstore.Store, item seckill.ID) *sql.Tx {
	t.Helper()
	write, _, err := store.SQL(seckill.HomeShard(store.Shards(), item))
	if err != nil {
		t.Fatal(err)
	}
	tx, err := write.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tx.Rollback() })
	if _, err := tx.ExecContext(t.Context(), "UPDATE stock SET version = version + 1 WHERE item = ?", item); err != nil {
		t.Fatal(err)
	}
	return tx
}

// awaitLockWait waits until somebody in the store's first database waits for a row.
func awaitLockWait(t *testing.T, store *sqlstore.Store) {
	t.Helper()
	awaitLockWaits(t, store, 1)
}

func awaitLockWaits(t *testing.T, store *sqlstore.Store, count int) {
	t.Helper()
	_, read, err := store.SQL(0)
	if err != nil {
		t.Fatal(err)
	}
	// Not information_schema.innodb_trx: it shows its last picture again until nobody has looked for a tenth of a second, and
	// other tests look at the same server.
	soon(t, fmt.Sprintf("fewer than %d wait for the row", count), func() bool {
		var waiting int
		err := read.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM information_schema.processlist
			WHERE db = DATABASE() AND id <> CONNECTION_ID() AND command = 'Query' AND time_ms > 100
			AND (info LIKE 'UPDATE %' OR info LIKE 'INSERT %' OR info LIKE '%FOR UPDATE%')`).Scan(&waiting)
		return err == nil && waiting >= count
	})
}

// soon polls until done says so.
func soon(t *testing.T, otherwise string, done func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	for !done() {
		select {
		case <-poll.C:
		case <-ctx.Done():
			t.Fatal(otherwise)
		}
	}
}

// settleThrough settles until it succeeds, repeating what passes as a worker does; it tells how long that took.
func (b *bench) settleThrough(t *testing.T, messages ...seckill.Message) time.Duration {
	t.Helper()
	began := time.Now()
	shard := seckill.HomeShard(b.Shards, messages[0].Item)
	for {
		_, err := b.Claims.Settle(t.Context(), shard, messages, nil)
		if err == nil {
			return time.Since(began)
		}
		if !errors.Is(err, seckill.ErrTransient) {
			t.Fatal(err)
		}
	}
}

// A worker waits for the row of its second item while another one settles the very same reservation there. Under
// REPEATABLE READ it would not see that claim: what it reads would be as old as its first look at the first item.
func TestMySQLDecidesOnWhatItLocked(t *testing.T) {
	t.Parallel()
	store := openMariaDB(t)
	first, last := newBench(t, store, 10, 10), newBench(t, store, 10, 10)
	if first.item > last.item {
		first, last = last, first
	}
	other := hold(t, store, last.item)
	messages := []seckill.Message{first.message(t, 1), last.message(t, 1)}
	settled := make(chan error, 1)
	go func() {
		_, err := first.Claims.Settle(context.Background(), 0, messages, nil)
		settled <- err
	}()
	awaitLockWait(t, store)
	r := messages[1].Reservations[0]
	_, claimErr := other.ExecContext(t.Context(), `INSERT INTO claims (id, item, user_id, quantity, key_hash, epoch, state, reason,
		first_id, ordered, created_at) VALUES (?, ?, ?, 1, ?, 1, 'held', '', 0, 0, 1)`, r.ID, last.item, r.User, r.KeyHash)
	_, stockErr := other.ExecContext(t.Context(),
		"UPDATE stock SET lent = lent - 1, claimed = claimed + 1, accounted = accounted + 1 WHERE item = ?", last.item)
	if err := errors.Join(claimErr, stockErr, other.Commit(), <-settled); err != nil {
		t.Fatal(err)
	}
	for _, b := range []*bench{first, last} {
		if stock, err := b.Stocks.Get(t.Context(), b.item); err != nil || stock.Claimed != 1 || stock.Accounted != 1 {
			t.Fatalf("got %+v, %v", stock, err)
		}
	}
}

// Trap 19: a stopped worker keeps the row lock, the item is frozen for hours.
func TestTrap19AStoppedWorkerLosesItsLock(t *testing.T) {
	t.Parallel()
	store := openMariaDB(t)
	b := newBench(t, store, 10, 1)
	stopped := hold(t, store, b.item)
	if took := b.settleThrough(t, b.message(t, 1)); took > 20*time.Second || took < 3*time.Second {
		t.Fatalf("the item was frozen for %v", took)
	}
	// It wakes up: what it had begun is gone.
	if _, err := stopped.ExecContext(t.Context(), "UPDATE stock SET claimed = claimed + 1, lent = lent - 1 WHERE item = ?", b.item); err == nil {
		t.Fatal("the stopped worker went on where it had been")
	}
	if stock, err := b.Stocks.Get(t.Context(), b.item); err != nil || stock.Claimed != 1 || stock.Accounted != 1 {
		t.Fatalf("got %+v, %v", stock, err)
	}
}

// A statement that waits is ended by the server, so that nobody's call goes on after its caller has left.
func TestMySQLCallsALockWaitTransient(t *testing.T) {
	t.Parallel()
	store := openMariaDB(t)
	b := newBench(t, store, 10, 1)
	hold(t, store, b.item)
	_, err := b.Claims.Settle(t.Context(), 0, []seckill.Message{b.message(t, 1)}, nil)
	if !errors.Is(err, seckill.ErrTransient) {
		t.Fatalf("got %v", err)
	}
}

// A transaction whose context ends before its commit is called late, not over: that counts as a shard that does not answer.
func TestMySQLCallsAnEndedTransactionLate(t *testing.T) {
	t.Parallel()
	store := openMariaDB(t)
	patient := t.Context()
	ctx, cancel := context.WithTimeout(patient, time.Millisecond)
	defer cancel()
	err := store.InTx(ctx, func(tx *gorm.DB) error {
		<-ctx.Done()
		after := tx.WithContext(patient)
		for !errors.Is(after.Exec("DO 0").Error, sql.ErrTxDone) { // until database/sql has noticed
			t.Log("still open")
		}
		return nil
	})
	if !sqlstore.Away(err) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("it ended with %v", err)
	}
}

// openMariaDB opens a fresh store of one shard on the package's server.
func openMariaDB(t testing.TB) *sqlstore.Store {
	t.Helper()
	return leased(t, mariadbConfig(t, 1))
}

// holdOrder locks an order's row as hold does an item's.
func holdOrder(t *testing.T, o *paidOrder) (*sql.Tx, string) {
	t.Helper()
	write, _, err := o.store.SQL(0)
	must(t, err)
	tx, err := write.BeginTx(t.Context(), nil)
	must(t, err)
	t.Cleanup(func() { _ = tx.Rollback() })
	table := fmt.Sprintf("orders_%02d", o.order.ID.Bucket()%16)
	_, err = tx.ExecContext(t.Context(), "SELECT id FROM "+table+" WHERE id = ? FOR UPDATE", o.order.ID)
	must(t, err)
	return tx, table
}

// A charge waits for its order's row. What it finds there is what counts, and by when it finds it.
func TestMySQLJudgesAChargeByWhatItLocked(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		meanwhile string
		want      seckill.RefundReason
	}{
		"cancelled meanwhile":     {"state = 'cancelled', version = 2", seckill.RefundCancelled},
		"paid meanwhile":          {"state = 'paid', version = 2, paid_at = 1", seckill.RefundDouble},
		"whose deadline has come": {"pay_by = pay_by", seckill.RefundLate},
	} {
		t.Run("of an order "+name, func(t *testing.T) {
			t.Parallel()
			o := newPaidOrder(t, openMariaDB(t))
			o.begun()
			deadline := time.Now().Add(700 * time.Millisecond)
			must(t, setDeadline(t.Context(), o.store, o.order.Item, deadline))
			other, table := holdOrder(t, o)
			recorded := make(chan error, 1)
			go func() { recorded <- o.record() }()
			awaitLockWait(t, o.store)
			_, err := other.ExecContext(t.Context(), "UPDATE "+table+" SET "+c.meanwhile+" WHERE id = ?", o.order.ID)
			must(t, err)
			soon(t, "the deadline does not come", func() bool { return time.Now().After(deadline) })
			must(t, other.Commit())
			must(t, <-recorded)
			if charges, err := o.payments.ChargesOf(t.Context(), o.order.ID); err != nil || charges[0].Refund != c.want {
				t.Fatalf("got %+v, %v", charges, err)
			}
		})
	}
}

// Several who place the same orders wait for one who gives up: InnoDB lets them all go at once, and they meet in a deadlock.
func TestMySQLPlacesWhatAnotherOneRolledBack(t *testing.T) {
	t.Parallel()
	const count = 4
	o := newPaidOrder(t, openMariaDB(t))
	again := o.order
	again.ID = o.id()
	write, _, err := o.store.SQL(0)
	must(t, err)
	other, err := write.BeginTx(t.Context(), nil)
	must(t, err)
	t.Cleanup(func() { _ = other.Rollback() })
	table := fmt.Sprintf("orders_%02d", again.ID.Bucket()%16)
	_, err = other.ExecContext(t.Context(), fmt.Sprintf(`INSERT INTO %[1]s SELECT ?, item, user_id, quantity, price_minor, currency,
		state, pay_by, created_at, paid_at, version FROM %[1]s WHERE id = ?`, table), again.ID, o.order.ID)
	must(t, err)
	placed := make(chan error, count)
	for range count {
		go func() { placed <- o.orders.Place(context.Background(), 0, []seckill.NewOrder{again}) }()
	}
	awaitLockWaits(t, o.store, count)
	must(t, other.Rollback())
	for range count {
		must(t, <-placed)
	}
	if got := countRows(t, o.store, "order_events", "order_id = ?", again.ID); got != 1 {
		t.Fatalf("%d events", got)
	}
}

// Who has one order's row in his hands keeps nobody from any other, in the same table either.
func TestMySQLLocksOnlyTheOrdersItMoves(t *testing.T) {
	t.Parallel()
	o := newPaidOrder(t, openMariaDB(t))
	holdOrder(t, o)
	moved := make([]*paidOrder, 120)
	for i := range moved {
		moved[i] = newPaidOrder(t, o.store) // the same user's
		moved[i].begun()
	}
	began := time.Now()
	must(t, moved[0].cancel())
	must(t, moved[1].record())
	must(t, moved[1].refund())
	must(t, moved[1].refunded())
	must(t, setDeadlineBut(t, o))
	if count, err := o.payments.CancelOverdue(t.Context(), 0, 200); err != nil || count != len(moved)-2 {
		t.Fatalf("%d were closed, %v", count, err)
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("somebody waited: it took %v", took)
	}
}

// setDeadlineBut makes every order overdue but one, whose row is locked.
func setDeadlineBut(t *testing.T, o *paidOrder) error {
	t.Helper()
	write, _, err := o.store.SQL(0)
	must(t, err)
	_, err = write.ExecContext(t.Context(), fmt.Sprintf("UPDATE orders_%02d SET pay_by = ? WHERE id > ?", o.order.ID.Bucket()%16),
		time.Now().UnixMilli(), o.order.ID)
	return err
}

// One row that a stopped process has locked holds up those that are closed with it, until the server ends that process,
// and no others.
func TestMySQLClosesOverdueOrdersPastALockedOne(t *testing.T) {
	t.Parallel()
	const count, perTransaction = 130, 100
	locked := newPaidOrder(t, openMariaDB(t))
	for range count - 1 {
		newPaidOrder(t, locked.store)
	}
	locked.late()
	other, _ := holdOrder(t, locked)
	closed, err := locked.payments.CancelOverdue(t.Context(), 0, 2*count)
	if !errors.Is(err, seckill.ErrTransient) || closed != count-perTransaction {
		t.Fatalf("%d were closed, %v", closed, err)
	}
	must(t, other.Rollback())
	if closed, err = locked.payments.CancelOverdue(t.Context(), 0, 2*count); err != nil || closed != perTransaction {
		t.Fatalf("%d were closed, %v", closed, err)
	}
}
