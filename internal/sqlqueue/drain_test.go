package sqlqueue_test

import (
	"context"
	"database/sql"
	"strings"
	"testing"

	"github.com/seckill-dev/seckill/internal/seckill"
)

func TestDrained(t *testing.T) {
	t.Parallel()
	t.Run("is done when no message of the item and epoch is left, ready or leased", func(t *testing.T) {
		t.Parallel()
		q := open(t)
		q.wantDrained(t, 1, 1, true)
		q.publish(t, "of item 1, epoch 1")
		q.wantDrained(t, 1, 1, false)
		q.wantDrained(t, 1, 2, true)
		q.wantDrained(t, 2, 1, true)
		s := q.subscribe(t)
		d := next(t, s)
		q.wantDrained(t, 1, 1, false)
		q.ack(t, s, d)
		q.wantDrained(t, 1, 1, true)
	})
	t.Run("is not done while a message that was handed in waits for its commit", func(t *testing.T) {
		t.Parallel()
		q := open(t)
		busy, err := q.write.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range []seckill.ID{9, 1} { // one waits for the writer, one for the next transaction
			ctx, cancel := context.WithTimeout(t.Context(), 10*testLook)
			err := q.Publish(ctx, seckill.Outgoing{Batch: 1, Item: item, Epoch: 1, Body: []byte("pending")})
			cancel()
			if err == nil {
				t.Fatal("confirmed")
			}
		}
		if err := busy.Rollback(); err != nil {
			t.Fatal(err)
		}
		q.wantDrained(t, 1, 1, false)
	})
}

func TestLooksReadAnIndex(t *testing.T) {
	t.Parallel()
	q := open(t)
	for _, statement := range []string{
		`SELECT tag, enqueued_at FROM queue WHERE shard = 0 AND tag > 7 ORDER BY tag LIMIT 9`,
		`SELECT COUNT(*) FROM queue WHERE shard = 0 AND tag > 7`,
		`SELECT MAX(tag) FROM queue WHERE shard = 0`,
		`SELECT 1 FROM queue WHERE item = 1 AND epoch = 1`,
		`DELETE FROM queue WHERE tag IN (SELECT value FROM json_each('[1,2]'))`,
		`SELECT COUNT(*) FROM dead_letters WHERE shard = 0`,
	} {
		plan := planOf(t, q.write, statement)
		if strings.Contains(plan, "SCAN queue") || strings.Contains(plan, "SCAN dead_letters") || strings.Contains(plan, "TEMP B-TREE") {
			t.Errorf("%s\n%s", statement, plan)
		}
	}
}

func planOf(t *testing.T, db *sql.DB, statement string) string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+statement)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var plan strings.Builder
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			t.Fatal(err)
		}
		plan.WriteString(detail + "\n")
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return plan.String()
}

func (f *fixture) wantDrained(t testing.TB, item seckill.ID, epoch int64, done bool) {
	t.Helper()
	drained, err := f.Drained(t.Context(), seckill.Stock{Item: item, Epoch: epoch})
	if err != nil || drained.Done != done || drained.Target != 0 {
		t.Errorf("item %s, epoch %d: %+v, %v", item, epoch, drained, err)
	}
}
