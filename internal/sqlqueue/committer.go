package sqlqueue

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	// pendingMax is how many writes wait for the next transaction before callers are held back.
	pendingMax = 1024
	// commitMax is how many writes share a transaction, so that none of them waits for many others.
	commitMax = 256
	// commitTimeout bounds one transaction, the wait for the writer included.
	commitTimeout = 5 * time.Second
)

var errClosed = fmt.Errorf("%w: the queue is closed", seckill.ErrUnavailable)

// write is one caller's part of a transaction; one of the first three is set.
type write struct {
	message *message
	acked   []uint64
	step    func(ctx context.Context, tx *sql.Tx) error
	// then runs after the commit, before done, whether the caller still waits or not.
	then func()
	done chan error
}

// committer owns the queue's write transactions.
type committer struct {
	db      *sql.DB
	pending chan *write
	closing chan struct{}
	ended   chan struct{}
}

func startCommitter(ctx context.Context, db *sql.DB) *committer {
	c := &committer{
		db: db, pending: make(chan *write, pendingMax),
		closing: make(chan struct{}), ended: make(chan struct{}),
	}
	// The queue's context ends before its last writes are committed.
	go c.run(context.WithoutCancel(ctx))
	return c
}

// close commits what is pending and ends the committer. Not to be called twice.
func (c *committer) close() {
	close(c.closing)
	<-c.ended
}

// open is errClosed once no write is taken any more.
func (c *committer) open() error {
	select {
	case <-c.closing:
		return errClosed
	default:
		return nil
	}
}

// do hands a write in and waits for its commit. seckill.ErrUnavailable: certainly not written. Any other error: unknown.
func (c *committer) do(ctx context.Context, w *write) error {
	w.done = make(chan error, 1)
	if err := c.enqueue(ctx, w); err != nil {
		return err
	}
	select {
	case err := <-w.done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("outcome unknown: %w", ctx.Err())
	case <-c.ended:
	}
	select {
	case err := <-w.done:
		return err
	default:
		return errClosed // it was handed in after the last transaction
	}
}

func (c *committer) enqueue(ctx context.Context, w *write) error {
	select {
	case <-c.closing:
		return errClosed
	default:
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%w: %w", seckill.ErrUnavailable, err)
	}
	select {
	case c.pending <- w:
		return nil
	case <-c.closing:
		return errClosed
	case <-ctx.Done():
		return fmt.Errorf("%w: %d writes are waiting already: %w", seckill.ErrUnavailable, pendingMax, ctx.Err())
	}
}

func (c *committer) run(ctx context.Context) {
	defer close(c.ended)
	for {
		select {
		case w := <-c.pending:
			c.commit(ctx, c.gather(w))
		case <-c.closing:
			c.flush(ctx)
			return
		}
	}
}

func (c *committer) flush(ctx context.Context) {
	for {
		select {
		case w := <-c.pending:
			c.commit(ctx, c.gather(w))
		default:
			return
		}
	}
}

// gather takes what arrived meanwhile; it waits for nothing.
func (c *committer) gather(first *write) []*write {
	batch := []*write{first}
	for len(batch) < commitMax {
		select {
		case w := <-c.pending:
			batch = append(batch, w)
		default:
			return batch
		}
	}
	return batch
}

func (c *committer) commit(ctx context.Context, batch []*write) {
	ctx, cancel := context.WithTimeout(ctx, commitTimeout)
	defer cancel()
	err := c.transact(ctx, batch)
	for _, w := range batch {
		if err == nil && w.then != nil {
			w.then()
		}
		w.done <- err
	}
}

func (c *committer) transact(ctx context.Context, batch []*write) error {
	tx, err := c.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("%w: begin: %w", seckill.ErrUnavailable, err)
	}
	if err := apply(ctx, tx, batch); err != nil {
		tx.Rollback() // what it says adds nothing: without COMMIT nothing is durable
		return fmt.Errorf("%w: %w", seckill.ErrUnavailable, err)
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit, outcome unknown: %w", err)
	}
	return nil
}

// apply writes messages first and steps last: a step sees everything that was handed in before it.
func apply(ctx context.Context, tx *sql.Tx, batch []*write) error {
	var messages []message
	var acked []uint64
	for _, w := range batch {
		if w.message != nil {
			messages = append(messages, *w.message)
		}
		acked = append(acked, w.acked...)
	}
	if err := insertMessages(ctx, tx, messages); err != nil {
		return err
	}
	if err := deleteTags(ctx, tx, acked); err != nil {
		return err
	}
	for _, w := range batch {
		if w.step == nil {
			continue
		}
		if err := w.step(ctx, tx); err != nil {
			return err
		}
	}
	return nil
}
