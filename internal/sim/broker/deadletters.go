package broker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/seckill-dev/seckill/internal/seckill"
)

func (b *Broker) addLetter(shard int, body []byte, cause string) {
	b.letters = append(b.letters, seckill.DeadLetter{
		ID: seckill.ID(b.next()), Shard: shard, Body: bytes.Clone(body), Cause: cause, At: b.clock.Now(),
	})
}

// List implements seckill.DeadLetters.
func (b *Broker) List(ctx context.Context, after seckill.ID, limit int) ([]seckill.DeadLetter, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.desk(ctx); err != nil {
		return nil, fmt.Errorf("list dead letters: %w", err)
	}
	var page []seckill.DeadLetter
	for _, letter := range b.letters {
		if letter.ID > after && len(page) < limit {
			page = append(page, letter)
		}
	}
	return page, nil
}

// desk says why nobody can decide about dead letters now.
func (b *Broker) desk(ctx context.Context) error {
	if _, err := b.queue(0); err != nil {
		return err
	}
	if b.reading {
		return errors.New("another reader has the dead letters")
	}
	return ctx.Err()
}

func (b *Broker) letter(ctx context.Context, id seckill.ID) (seckill.DeadLetter, error) {
	if err := b.desk(ctx); err != nil {
		return seckill.DeadLetter{}, err
	}
	for _, letter := range b.letters {
		if letter.ID == id {
			return letter, nil
		}
	}
	return seckill.DeadLetter{}, seckill.ErrNotFound
}

// Letter implements seckill.DeadLetterDesk.
func (b *Broker) Letter(ctx context.Context, id seckill.ID) (seckill.DeadLetter, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	letter, err := b.letter(ctx, id)
	if err != nil {
		return seckill.DeadLetter{}, fmt.Errorf("read dead letter %s: %w", id, err)
	}
	return letter, nil
}

// Replay implements seckill.DeadLetterDesk: it publishes and then drops, and has the letters to itself meanwhile.
func (b *Broker) Replay(ctx context.Context, id seckill.ID) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	letter, err := b.letter(ctx, id)
	if err == nil {
		err = b.publish(ctx, again(letter))
	}
	if err == nil {
		err = b.alone("replay")
	}
	if err != nil {
		return fmt.Errorf("replay dead letter %s: %w", id, err)
	}
	b.drop(id)
	return nil
}

// again is a dead letter as a new message.
func again(letter seckill.DeadLetter) seckill.Outgoing {
	outgoing := seckill.Outgoing{Shard: letter.Shard, Body: letter.Body}
	if m, err := seckill.DecodeMessage(letter.Body); err == nil {
		outgoing.Batch, outgoing.Item, outgoing.Epoch = m.Batch, m.Item, m.Epoch
	}
	return outgoing
}

// alone lets others in, but to the dead letters.
func (b *Broker) alone(what string) error {
	b.reading = true
	b.mu.Unlock()
	err := b.between(what)
	b.mu.Lock()
	b.reading = false
	return err
}

// Discard implements seckill.DeadLetterDesk.
func (b *Broker) Discard(ctx context.Context, id seckill.ID) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, err := b.letter(ctx, id); err != nil {
		return fmt.Errorf("discard dead letter %s: %w", id, err)
	}
	b.drop(id)
	return nil
}

func (b *Broker) drop(id seckill.ID) {
	b.letters = slices.DeleteFunc(b.letters, func(letter seckill.DeadLetter) bool { return letter.ID == id })
}
