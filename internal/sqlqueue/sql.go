package sqlqueue

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// row is a message as it is handed out.
type row struct {
	tag          uint64
	redeliveries int64
	body         []byte
}

const (
	insertInto = `INSERT INTO queue (shard, batch, item, epoch, enqueued_at, redeliveries, body) VALUES `
	insertRow  = `(?, ?, ?, ?, ?, 0, ?)`
	// Lists of tags are one JSON argument, so that the statement is the same for every length.
	inTags = ` WHERE tag IN (SELECT value FROM json_each(?))`
)

func insertMessages(ctx context.Context, tx *sql.Tx, messages []message) error {
	if len(messages) == 0 {
		return nil
	}
	args := make([]any, 0, 6*len(messages))
	for _, m := range messages {
		args = append(args, m.Shard, int64(m.Batch), int64(m.Item), m.Epoch, m.at, m.Body)
	}
	statement := insertInto + strings.Repeat(insertRow+", ", len(messages)-1) + insertRow
	if _, err := tx.ExecContext(ctx, statement, args...); err != nil {
		return fmt.Errorf("insert %d messages: %w", len(messages), err)
	}
	return nil
}

func deleteTags(ctx context.Context, tx *sql.Tx, tags []uint64) error {
	if len(tags) == 0 {
		return nil
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM queue`+inTags, tagList(tags)); err != nil {
		return fmt.Errorf("delete %d messages: %w", len(tags), err)
	}
	return nil
}

func countTags(ctx context.Context, tx *sql.Tx, tags []uint64) error {
	_, err := tx.ExecContext(ctx, `UPDATE queue SET redeliveries = redeliveries + 1`+inTags, tagList(tags))
	return err
}

// bury writes a dead letter and deletes the row that has its body, if there is one.
func bury(ctx context.Context, tx *sql.Tx, tag uint64, letter seckill.DeadLetter) (removed bool, err error) {
	if letter.Body == nil {
		letter.Body = []byte{} // empty, which a body may be, is not NULL
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO dead_letters (id, shard, cause, at, body) VALUES (?, ?, ?, ?, ?)`,
		int64(letter.ID), letter.Shard, letter.Cause, letter.At.UnixMilli(), letter.Body)
	if err != nil {
		return false, err
	}
	result, err := tx.ExecContext(ctx, `DELETE FROM queue WHERE tag = ? AND body = ?`, int64(tag), letter.Body)
	if err != nil {
		return false, err
	}
	affected, err := result.RowsAffected()
	return affected > 0, err
}

func highestTag(ctx context.Context, db *sql.DB, shard int) (tag uint64, err error) {
	err = db.QueryRowContext(ctx, `SELECT COALESCE(MAX(tag), 0) FROM queue WHERE shard = ?`, shard).Scan(&tag)
	return tag, err
}

func readAfter(ctx context.Context, db *sql.DB, shard int, cursor uint64, limit int) ([]foundRow, error) {
	return query(ctx, db, func(rows *sql.Rows) (r foundRow, err error) {
		var enqueuedAt int64
		err = rows.Scan(&r.tag, &enqueuedAt)
		r.enqueuedAt = time.UnixMilli(enqueuedAt)
		return r, err
	}, `SELECT tag, enqueued_at FROM queue WHERE shard = ? AND tag > ? ORDER BY tag LIMIT ?`, shard, int64(cursor), limit)
}

func readRows(ctx context.Context, db *sql.DB, tags []uint64) ([]row, error) {
	return query(ctx, db, func(rows *sql.Rows) (r row, err error) {
		err = rows.Scan(&r.tag, &r.redeliveries, &r.body)
		return r, err
	}, `SELECT tag, redeliveries, body FROM queue`+inTags+` ORDER BY tag`, tagList(tags))
}

func readDead(ctx context.Context, db *sql.DB, after seckill.ID, limit int) ([]seckill.DeadLetter, error) {
	return query(ctx, db, func(rows *sql.Rows) (d seckill.DeadLetter, err error) {
		var at int64
		err = rows.Scan(&d.ID, &d.Shard, &d.Body, &d.Cause, &at)
		d.At = time.UnixMilli(at).UTC()
		return d, err
	}, `SELECT id, shard, body, cause, at FROM dead_letters WHERE id > ? ORDER BY id LIMIT ?`, int64(after), limit)
}

// readLetter reads one dead letter, or seckill.ErrNotFound.
func readLetter(ctx context.Context, db *sql.DB, id seckill.ID) (seckill.DeadLetter, error) {
	letter := seckill.DeadLetter{ID: id}
	var at int64
	err := db.QueryRowContext(ctx, `SELECT shard, body, cause, at FROM dead_letters WHERE id = ?`, int64(id)).
		Scan(&letter.Shard, &letter.Body, &letter.Cause, &at)
	if errors.Is(err, sql.ErrNoRows) {
		err = seckill.ErrNotFound
	}
	letter.At = time.UnixMilli(at).UTC()
	return letter, err
}

// deleteLetter says whether there was one.
func deleteLetter(ctx context.Context, tx *sql.Tx, id seckill.ID) (bool, error) {
	result, err := tx.ExecContext(ctx, `DELETE FROM dead_letters WHERE id = ?`, int64(id))
	if err != nil {
		return false, err
	}
	affected, err := result.RowsAffected()
	return affected > 0, err
}

// readWaiting counts the rows above the cursor and says when the oldest of them was written.
func readWaiting(ctx context.Context, db *sql.DB, shard int, cursor uint64) (waiting int64, oldest time.Time, err error) {
	var enqueuedAt int64
	err = db.QueryRowContext(ctx, `SELECT COUNT(*), COALESCE((SELECT enqueued_at FROM queue WHERE shard = ?1 AND tag > ?2 ORDER BY tag LIMIT 1), 0)
		FROM queue WHERE shard = ?1 AND tag > ?2`, shard, int64(cursor)).Scan(&waiting, &enqueuedAt)
	return waiting, time.UnixMilli(enqueuedAt), err
}

func readDeadCount(ctx context.Context, db *sql.DB, shard int) (dead int64, err error) {
	err = db.QueryRowContext(ctx, `SELECT COUNT(*) FROM dead_letters WHERE shard = ?`, shard).Scan(&dead)
	return dead, err
}

func isQueued(ctx context.Context, tx *sql.Tx, item seckill.ID, epoch int64) (queued bool, err error) {
	err = tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM queue WHERE item = ? AND epoch = ?)`, int64(item), epoch).Scan(&queued)
	return queued, err
}

// query reads every row of a statement.
func query[T any](ctx context.Context, db *sql.DB, scan func(*sql.Rows) (T, error), statement string, args ...any) ([]T, error) {
	rows, err := db.QueryContext(ctx, statement, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}

// tagList is a list of tags as json_each reads it. Tags are SQLite's row ids, which fit in an int64.
func tagList(tags []uint64) string {
	list, _ := json.Marshal(tags) // numbers always marshal
	return string(list)
}
