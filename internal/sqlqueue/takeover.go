package sqlqueue

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/seckill-dev/seckill/internal/sqlitefile"
)

// takeOver moves the rows of an older version's queue to this one, each table in two commits: the copy is on disk before
// the original is deleted.
func takeOver(ctx context.Context, write *sql.DB, before string) (err error) {
	conn, err := write.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	// An attached file that is not there would be made.
	if _, err := conn.ExecContext(ctx, `ATTACH ? AS before`, sqlitefile.Existing(before)); err != nil {
		return fmt.Errorf("open %s: %w", before, err)
	}
	defer func() {
		_, failed := conn.ExecContext(context.WithoutCancel(ctx), `DETACH before`)
		err = errors.Join(err, failed)
	}()
	for _, step := range []struct{ look, copy, remove string }{{
		`SELECT EXISTS (SELECT 1 FROM before.queue)`,
		`INSERT INTO main.queue (shard, batch, item, epoch, enqueued_at, redeliveries, body)
			SELECT shard, batch, item, epoch, enqueued_at, redeliveries, body FROM before.queue ORDER BY tag`,
		`DELETE FROM before.queue`,
	}, {
		`SELECT EXISTS (SELECT 1 FROM before.dead_letters)`,
		`INSERT OR IGNORE INTO main.dead_letters (id, shard, cause, at, body)
			SELECT id, shard, cause, at, body FROM before.dead_letters`,
		`DELETE FROM before.dead_letters`,
	}} {
		if err := move(ctx, conn, step.look, step.copy, step.remove); err != nil {
			return err
		}
	}
	return nil
}

func move(ctx context.Context, conn *sql.Conn, look, insert, remove string) error {
	there := false
	if err := conn.QueryRowContext(ctx, look).Scan(&there); err != nil || !there {
		return err
	}
	if _, err := conn.ExecContext(ctx, insert); err != nil {
		return err
	}
	_, err := conn.ExecContext(ctx, remove)
	return err
}
