package stage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// The orders of the past: one of each user, number n being the n-th user's, all paid. Their ids are made of the number alone, as
// the product would have made them, so whoever knows the number can ask for the order.
const (
	// PastMost is how many there can be: their users have seven digits.
	PastMost = 10_000_000

	pastDigits  = 7
	pastPrefix  = "user-"
	pastPerItem = 10_000
	pastWriters = 4
	// pastChunk is how many are written in a row. They are prepared in the memory of a connection.
	pastChunk = 50_000
	// pastSequence is how many share a millisecond: fewer than the sequence numbers of an id, so that none is made twice.
	pastSequence = 16
	// pastSamples are read again afterwards.
	pastSamples = 100
)

// User is the n-th of them.
func User(n int64) seckill.UserID {
	return seckill.UserID(fmt.Sprintf(pastPrefix+"%0*d", pastDigits, n))
}

// pastBegins is long before any sale of the bench.
func pastBegins() time.Time { return time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC) }

// PastOrder is the id of the n-th user's order.
func PastOrder(n int64) seckill.ID {
	return seckill.ComposeID(pastBegins().UnixMilli()+n/pastSequence, User(n).Bucket(), 0, int(n%pastSequence))
}

// pastID is PastOrder as an expression of SQL, of a column seq. What FNV-1a leaves of a bucket depends on its last ten bits only,
// so those are all that is computed.
func pastID() string {
	first := int64(seckill.ComposeID(pastBegins().UnixMilli(), 0, 0, 0))
	milli := seckill.ComposeID(pastBegins().UnixMilli()+1, 0, 0, 0) - seckill.ID(first)
	bucket := seckill.ComposeID(pastBegins().UnixMilli(), 1, 0, 0) - seckill.ID(first)
	return fmt.Sprintf("%d + (seq DIV %d) * %d + %s * %d + seq MOD %d", first, pastSequence, milli, pastBucket(), bucket, pastSequence)
}

func pastBucket() string {
	const prime, mask = 1099511628211 % seckill.Buckets, seckill.Buckets - 1
	expression := fmt.Sprint(seckill.UserID(pastPrefix).Bucket())
	for place := pow10(pastDigits - 1); place > 0; place /= 10 {
		expression = fmt.Sprintf("(((%s ^ (%d + seq DIV %d MOD 10)) * %d) & %d)", expression, '0', place, prime, mask)
	}
	return expression
}

func pow10(n int) int64 {
	value := int64(1)
	for range n {
		value *= 10
	}
	return value
}

// FillPast writes so many orders of the past, each with its claim and its two events, and looks at some of them.
func (p *Product) FillPast(ctx context.Context, orders int64) error {
	if orders < 1 || orders > PastMost {
		return fmt.Errorf("fill: %d orders are not 1-%d", orders, PastMost)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var next atomic.Int64
	failures := make([]error, pastWriters)
	var all sync.WaitGroup
	for w := range pastWriters {
		all.Go(func() {
			if failures[w] = fillFrom(ctx, p.SQL, &next, orders); failures[w] != nil {
				cancel()
			}
		})
	}
	all.Wait()
	if err := errors.Join(failures...); err != nil {
		return fmt.Errorf("fill: %w", err)
	}
	return checkPast(ctx, p.SQL, orders)
}

// fillFrom writes one chunk after the other, over one connection.
func fillFrom(ctx context.Context, db *sql.DB, next *atomic.Int64, orders int64) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // everything it has written is committed
	for _, statement := range []string{
		"SET SESSION max_heap_table_size = 67108864",
		"CREATE TEMPORARY TABLE past (id BIGINT NOT NULL, seq BIGINT NOT NULL, slot INT NOT NULL, KEY past_slot (slot) USING BTREE) ENGINE=MEMORY",
	} {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	for {
		from := next.Add(pastChunk) - pastChunk
		if from >= orders {
			_, err := conn.ExecContext(ctx, "DROP TEMPORARY TABLE past")
			return err
		}
		for _, statement := range fillChunk(from, min(from+pastChunk, orders)-1) {
			if _, err := conn.ExecContext(ctx, statement); err != nil {
				return err
			}
		}
	}
}

// fillChunk are the statements that write orders first to last. Each is a transaction of its own: nobody looks before all are done.
func fillChunk(first, last int64) []string {
	const slots = "id >> 12 & 15"
	user := fmt.Sprintf("CONCAT('%s', LPAD(seq, %d, '0'))", pastPrefix, pastDigits)
	item := fmt.Sprintf("1 + seq DIV %d", pastPerItem)
	at := fmt.Sprintf("%d + seq DIV %d", pastBegins().UnixMilli(), pastSequence)
	statements := []string{
		"TRUNCATE TABLE past",
		fmt.Sprintf("INSERT INTO past (id, seq, slot) SELECT id, seq, %s FROM (SELECT %s AS id, seq FROM seq_%d_to_%d) AS made", slots, pastID(), first, last),
		"INSERT INTO claims (id, item, user_id, quantity, key_hash, epoch, state, reason, first_id, ordered, created_at) SELECT id, " +
			item + ", " + user + ", 1, id, 1, 'held', '', 0, 1, " + at + " FROM past ORDER BY id",
	}
	for slot := range orderTables {
		statements = append(statements, fmt.Sprintf(`INSERT INTO orders_%02d
			(id, item, user_id, quantity, price_minor, currency, state, pay_by, created_at, paid_at, version)
			SELECT id, %s, %s, 1, 4999, 'EUR', 'paid', %s + 3600000, %s, %s + 60000, 2 FROM past WHERE slot = %d ORDER BY id`,
			slot, item, user, at, at, at, slot))
	}
	const events = "INSERT INTO order_events (order_id, version, state, cause, at) SELECT id, %d, '%s', '%s', %s FROM past ORDER BY id"
	return append(statements,
		fmt.Sprintf(events, 1, seckill.OrderUnpaid, seckill.CauseSettle, at),
		fmt.Sprintf(events, 2, seckill.OrderPaid, seckill.CausePayment, at))
}

// checkPast reads some of them where the product would look for them.
func checkPast(ctx context.Context, db *sql.DB, orders int64) error {
	for i := range min(pastSamples, orders) {
		n := i * (orders - 1) / max(min(pastSamples, orders)-1, 1)
		id, user := PastOrder(n), User(n)
		var found int
		query := fmt.Sprintf(`SELECT (SELECT COUNT(*) FROM orders_%02d WHERE id = ? AND user_id = ?)
			+ (SELECT COUNT(*) FROM claims WHERE id = ? AND user_id = ?) + (SELECT COUNT(*) FROM order_events WHERE order_id = ?)`, id.Bucket()%orderTables)
		if err := db.QueryRowContext(ctx, query, int64(id), string(user), int64(id), string(user), int64(id)).Scan(&found); err != nil {
			return fmt.Errorf("fill: %w", err)
		}
		const rows = 4 // order, claim, two events
		if found != rows {
			return fmt.Errorf("fill: %d of %d rows of order %s of %s are where they belong", found, rows, id, user)
		}
	}
	return nil
}
