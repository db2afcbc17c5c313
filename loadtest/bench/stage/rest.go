package stage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

const (
	restWithin = 2 * time.Minute
	restPoll   = 200 * time.Millisecond
	// restDirty pages are as good as none: the server always writes something.
	restDirty = 100
)

// Rest returns when the database has written what it holds in memory only, so that what is measured next does not pay for what
// came before.
func (s *Stage) Rest(ctx context.Context, db *sql.DB) error {
	var share, capacity string
	if err := db.QueryRowContext(ctx, "SELECT @@GLOBAL.innodb_max_dirty_pages_pct, @@GLOBAL.innodb_io_capacity").Scan(&share, &capacity); err != nil {
		return fmt.Errorf("rest: %w", err)
	}
	hurry := []string{"SET GLOBAL innodb_io_capacity = 20000", "SET GLOBAL innodb_max_dirty_pages_pct = 0"}
	calm := []string{"SET GLOBAL innodb_max_dirty_pages_pct = " + share, "SET GLOBAL innodb_io_capacity = " + capacity}
	err := tell(ctx, db, hurry)
	if err == nil {
		err = await(ctx, restWithin, restPoll, func(ctx context.Context) (bool, error) {
			var name string
			var dirty int64
			err := db.QueryRowContext(ctx, "SHOW GLOBAL STATUS LIKE 'Innodb_buffer_pool_pages_dirty'").Scan(&name, &dirty)
			return dirty <= restDirty, err
		})
	}
	if err = errors.Join(err, tell(context.WithoutCancel(ctx), db, calm)); err != nil {
		return fmt.Errorf("rest: %w", err)
	}
	return nil
}

func tell(ctx context.Context, db *sql.DB, statements []string) error {
	var failures []error
	for _, statement := range statements {
		_, err := db.ExecContext(ctx, statement)
		failures = append(failures, err)
	}
	return errors.Join(failures...)
}

// Warm does what a database has done that has been running: it counts what is in the tables, on which its plans depend, and brings the
// index that orders of users anywhere are written into back to memory, from where the filling has driven it.
func (p *Product) Warm(ctx context.Context) error {
	var patience string // in milliseconds, until a page that was read counts as used
	if err := p.SQL.QueryRowContext(ctx, "SELECT @@GLOBAL.innodb_old_blocks_time").Scan(&patience); err != nil {
		return fmt.Errorf("warm: %w", err)
	}
	warming := []string{"ANALYZE TABLE claims, order_events", "SET GLOBAL innodb_old_blocks_time = 0"}
	for slot := range orderTables {
		warming = append(warming, fmt.Sprintf("ANALYZE TABLE orders_%02d", slot),
			fmt.Sprintf("DO (SELECT COUNT(*) FROM orders_%02d FORCE INDEX (orders_%02d_user) WHERE user_id >= '')", slot, slot))
	}
	err := tell(ctx, p.SQL, warming)
	calm := []string{"SET GLOBAL innodb_old_blocks_time = " + patience}
	if err = errors.Join(err, tell(context.WithoutCancel(ctx), p.SQL, calm)); err != nil {
		return fmt.Errorf("warm: %w", err)
	}
	return nil
}
