package sqlqueue

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// listMax bounds a page of dead letters.
const listMax = 1000

// List implements seckill.DeadLetters; it returns at most listMax.
func (q *Queue) List(ctx context.Context, after seckill.ID, limit int) ([]seckill.DeadLetter, error) {
	letters, err := readDead(ctx, q.file.read, after, min(max(limit, 0), listMax))
	if err != nil {
		return nil, fmt.Errorf("list dead letters: %w", err)
	}
	return letters, nil
}

// Letter implements seckill.DeadLetterDesk.
func (q *Queue) Letter(ctx context.Context, id seckill.ID) (seckill.DeadLetter, error) {
	letter, err := readLetter(ctx, q.file.read, id)
	if err != nil {
		return seckill.DeadLetter{}, fmt.Errorf("read dead letter %s: %w", id, err)
	}
	return letter, nil
}

// Replay implements seckill.DeadLetterDesk, in one transaction: here a crash leaves one of the two and never both.
func (q *Queue) Replay(ctx context.Context, id seckill.ID) error {
	letter, err := q.Letter(ctx, id) // it never changes, so only whether it is still there is left to the transaction
	if err != nil {
		return err
	}
	l, err := q.lane(letter.Shard)
	if err != nil {
		return fmt.Errorf("replay dead letter %s: %w", id, err)
	}
	err = q.decide(ctx, func(ctx context.Context, tx *sql.Tx) (bool, error) {
		there, err := deleteLetter(ctx, tx, id)
		if err != nil || !there {
			return false, err
		}
		return true, insertMessages(ctx, tx, []message{q.again(letter)})
	}, l.announce)
	if err != nil {
		return fmt.Errorf("replay dead letter %s: %w", id, err)
	}
	return nil
}

// again is a dead letter as a new message. Bytes that cannot be decoded belong to no item; they come back as a dead letter.
func (q *Queue) again(letter seckill.DeadLetter) message {
	outgoing := seckill.Outgoing{Shard: letter.Shard, Body: letter.Body}
	if outgoing.Body == nil {
		outgoing.Body = []byte{} // empty, which a body may be, is not NULL
	}
	if decoded, err := seckill.DecodeMessage(letter.Body); err == nil {
		outgoing.Batch, outgoing.Item, outgoing.Epoch = decoded.Batch, decoded.Item, decoded.Epoch
	}
	return message{Outgoing: outgoing, at: q.Clock.Now().UnixMilli()}
}

// Discard implements seckill.DeadLetterDesk.
func (q *Queue) Discard(ctx context.Context, id seckill.ID) error {
	err := q.decide(ctx, func(ctx context.Context, tx *sql.Tx) (bool, error) { return deleteLetter(ctx, tx, id) }, nil)
	if err != nil {
		return fmt.Errorf("discard dead letter %s: %w", id, err)
	}
	return nil
}

// decide runs a step that says whether its letter was there. A missing one is no error inside the transaction, which
// others share.
func (q *Queue) decide(ctx context.Context, step func(context.Context, *sql.Tx) (bool, error), then func()) error {
	there := false
	w := &write{then: then, step: func(ctx context.Context, tx *sql.Tx) (err error) {
		there, err = step(ctx, tx)
		return err
	}}
	if err := q.committer.do(ctx, w); err != nil {
		return err
	}
	if !there {
		return seckill.ErrNotFound
	}
	return nil
}

// deadLetter writes bytes to the dead letters, and deletes the row if they are its body.
func (q *Queue) deadLetter(ctx context.Context, l *lane, delivery seckill.Delivery, cause string) error {
	id, err := q.IDs.Next(0)
	if err != nil {
		return fmt.Errorf("dead-letter message %d: %w", delivery.Tag, err)
	}
	letter := seckill.DeadLetter{ID: id, Shard: l.shard, Body: delivery.Body, Cause: cause, At: q.Clock.Now()}
	removed := false
	w := &write{
		step: func(ctx context.Context, tx *sql.Tx) (err error) {
			removed, err = bury(ctx, tx, delivery.Tag, letter)
			return err
		},
		then: func() {
			if removed {
				l.forget([]uint64{delivery.Tag})
			}
		},
	}
	if err := q.committer.do(ctx, w); err != nil {
		return fmt.Errorf("dead-letter message %d: %w", delivery.Tag, err)
	}
	return nil
}
