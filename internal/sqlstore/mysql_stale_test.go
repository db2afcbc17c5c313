package sqlstore_test

import (
	"database/sql"
	"testing"

	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/testenv"
)

// TestStaleStatistics: a server plans by what it counted last, which may have been before a crowd came.
func TestStaleStatistics(t *testing.T) {
	t.Parallel()
	const there, batch = 8000, 250 // so many at once are not looked at one by one to plan
	server := testenv.StartMariaDB(t)
	store := migratedOn(t, server)
	b := newBench(t, store, 1<<40, 1)
	for range there / batch {
		b.settleAtOnce(t, b.message(t, batch))
	}
	write, _, err := store.SQL(0)
	if err != nil {
		t.Fatal(err)
	}
	forgetClaims(t, write)
	server.Restart(t)
	write.SetMaxOpenConns(1) // which counts what it reads
	write.SetMaxIdleConns(1)
	for name, settle := range map[string]func(m seckill.Message){
		"it settles at once through its indexes":      func(m seckill.Message) { b.settleAtOnce(t, m) },
		"it settles step by step through its indexes": func(m seckill.Message) { b.place(t, b.settle(t, m)) },
	} {
		m := b.message(t, batch)
		before := rowsRead(t, write)
		settle(m)
		if read := rowsRead(t, write) - before; read > there/2 {
			t.Errorf("%s: a batch of %d read %d of %d rows", name, batch, read, there)
		}
	}
}

// forgetClaims makes the server believe, from its next start on, that there are no claims. It never counts them again.
func forgetClaims(t *testing.T, write *sql.DB) {
	t.Helper()
	for _, statement := range []string{
		"ALTER TABLE claims STATS_PERSISTENT = 1, STATS_AUTO_RECALC = 0",
		`UPDATE mysql.innodb_table_stats SET n_rows = 0, clustered_index_size = 1, sum_of_other_index_sizes = 1
			WHERE database_name = DATABASE() AND table_name = 'claims'`,
	} {
		if _, err := write.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	write.SetMaxIdleConns(0) // those there are do not outlive the restart
}

// rowsRead is how many rows the only connection of a pool has gone through, one after the other.
func rowsRead(t *testing.T, write *sql.DB) (total int64) {
	t.Helper()
	err := write.QueryRowContext(t.Context(), `SELECT SUM(variable_value) FROM information_schema.session_status
		WHERE variable_name IN ('HANDLER_READ_NEXT', 'HANDLER_READ_RND_NEXT')`).Scan(&total)
	if err != nil {
		t.Fatal(err)
	}
	return total
}
