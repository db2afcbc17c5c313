package sqlstore_test

import (
	"sync"
	"testing"

	"gorm.io/gorm"

	"github.com/seckill-dev/seckill/internal/testenv"
)

// What others see of a server that fulfils what is asked of its settings is there when it was killed: keepers act on it, and forget
// what there was to do. Without a binary log it is gone in most of these crashes.
func TestMySQLShowsNothingThatACrashTakesBack(t *testing.T) {
	t.Parallel()
	const crashes, rowsPerCrash, others = 6, 30, 6
	server := testenv.StartMariaDB(t)
	store := migratedOn(t, server)
	write, read, err := store.SQL(0)
	for _, table := range []string{"numbers (n BIGINT PRIMARY KEY)", "noise (n BIGINT AUTO_INCREMENT PRIMARY KEY, text VARCHAR(2000))"} {
		if err == nil {
			_, err = write.ExecContext(t.Context(), "CREATE TABLE "+table)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	last := func() (n int) {
		soon(t, "the server answers", func() bool {
			return read.QueryRowContext(t.Context(), "SELECT COALESCE(MAX(n), 0) FROM numbers").Scan(&n) == nil
		})
		return n
	}
	// untilKilled repeats a write until the server is gone.
	untilKilled := func(statement string) {
		for store.InTx(t.Context(), func(tx *gorm.DB) error { return tx.Exec(statement).Error }) == nil {
		}
	}
	for range crashes {
		var writing sync.WaitGroup
		for range others { // the log is being written nearly always
			writing.Go(func() { untilKilled("INSERT INTO noise (text) VALUES (REPEAT('x', 1500))") })
		}
		writing.Go(func() { untilKilled("INSERT INTO numbers SELECT COALESCE(MAX(n), 0) + 1 FROM numbers") })
		seen := last()
		for enough := seen + rowsPerCrash; seen < enough; {
			seen = last()
		}
		server.Kill(t)
		writing.Wait()
		server.Restart(t)
		if there := last(); there < seen {
			t.Errorf("row %d was seen, and there are %d", seen, there)
		}
	}
}
