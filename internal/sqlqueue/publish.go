package sqlqueue

import (
	"context"
	"fmt"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// message is a row to be written.
type message struct {
	seckill.Outgoing
	at int64 // Unix milliseconds
}

// Available implements seckill.Publisher. The file is as near as the process: only the end of the queue closes it.
func (q *Queue) Available(shard int) error {
	if _, err := q.lane(shard); err != nil {
		return err
	}
	return q.committer.open()
}

// Publish implements seckill.Publisher: nil only after COMMIT. The body must not be changed afterwards, even when ctx
// ended first, because the message may still be waiting for its transaction.
func (q *Queue) Publish(ctx context.Context, outgoing seckill.Outgoing) error {
	l, err := q.lane(outgoing.Shard)
	if err != nil {
		return fmt.Errorf("publish batch %s: %w", outgoing.Batch, err)
	}
	if outgoing.Body == nil {
		outgoing.Body = []byte{} // NULL would fail the whole transaction, the neighbours' messages with it
	}
	w := &write{message: &message{Outgoing: outgoing, at: q.Clock.Now().UnixMilli()}, then: l.announce}
	if err := q.committer.do(ctx, w); err != nil {
		return fmt.Errorf("publish batch %s: %w", outgoing.Batch, err)
	}
	return nil
}
