package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"gorm.io/gorm"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Claims keeps the claims, each in its item's home shard.
type Claims struct{ *Store }

var _ seckill.Claims = Claims{}

// Settle implements seckill.Claims.
func (c Claims) Settle(
	ctx context.Context, shard int, messages []seckill.Message, terms map[seckill.ID]seckill.Terms,
) (seckill.Settlement, error) {
	if len(terms) > 0 {
		settlement, err := c.settleAtOnce(ctx, shard, messages, terms)
		if !errors.Is(err, errOtherwise) {
			return settlement, err
		}
	}
	return c.settle(ctx, shard, messages, "")
}

// Reject implements seckill.Claims.
func (c Claims) Reject(
	ctx context.Context, shard int, message seckill.Message, reserved seckill.Reserved, reason seckill.Reason,
) (seckill.Settlement, error) {
	message.Reservations = []seckill.Reserved{reserved}
	return c.settle(ctx, shard, []seckill.Message{message}, reason)
}

// settle is T1: lock the stock rows, read, decide, write, in one transaction.
func (c Claims) settle(
	ctx context.Context, shard int, messages []seckill.Message, forced seckill.Reason,
) (seckill.Settlement, error) {
	batch, err := c.newSettleBatch(shard, messages, forced)
	if err != nil {
		return seckill.Settlement{}, err
	}
	err = c.inTx(ctx, shard, func(tx *gorm.DB) error {
		if err := batch.read(tx); err != nil {
			return err
		}
		batch.decide()
		return batch.write(tx)
	})
	if err != nil {
		return seckill.Settlement{}, fmt.Errorf("settle %d messages on shard %d: %w", len(messages), shard, repeatable(err))
	}
	return batch.result, nil
}

// settleBatch is one T1.
type settleBatch struct {
	store    *Store
	forced   seckill.Reason
	items    []seckill.ID // in the order they are locked
	messages map[seckill.ID][]seckill.Message

	known  map[seckill.ID]*knownClaim
	plans  map[seckill.ID]*settling
	result seckill.Settlement
	// hopeful says that known ids are not asked for. One is still found by its user, or by the key that is taken.
	hopeful bool
}

func (c Claims) newSettleBatch(shard int, messages []seckill.Message, forced seckill.Reason) (*settleBatch, error) {
	b := &settleBatch{store: c.Store, forced: forced, messages: make(map[seckill.ID][]seckill.Message)}
	for _, m := range messages {
		if home := c.router.home(m.Item); home != shard {
			return nil, fmt.Errorf("settle on shard %d: batch %s is of item %s, which lives on %d", shard, m.Batch, m.Item, home)
		}
		b.messages[m.Item] = append(b.messages[m.Item], m)
	}
	b.items = slices.Sorted(maps.Keys(b.messages))
	return b, nil
}

// read locks first; everything read after it stays true until the commit.
func (b *settleBatch) read(tx *gorm.DB) error {
	stocks, err := b.store.lockStocks(tx, b.items)
	if err != nil {
		return err
	}
	b.known = make(map[seckill.ID]*knownClaim)
	if !b.hopeful {
		if err := b.readKnown(tx); err != nil {
			return err
		}
	}
	b.plans = make(map[seckill.ID]*settling, len(stocks))
	for item, stock := range stocks {
		claims, err := b.store.claimsOfUsers(tx, item, b.newUsers(item))
		if err != nil {
			return err
		}
		if b.hopeful {
			b.know(claims)
		}
		b.plans[item] = newSettling(stock, b.forced, b.known, claims)
	}
	return nil
}

func (b *settleBatch) readKnown(tx *gorm.DB) error {
	ids := make(map[seckill.ID]struct{})
	for _, messages := range b.messages {
		for _, m := range messages {
			for _, r := range m.Reservations {
				ids[r.ID] = struct{}{}
			}
		}
	}
	claims, err := b.store.claimsByID(tx, slices.Sorted(maps.Keys(ids)))
	if err != nil {
		return err
	}
	b.know(claims)
	return nil
}

func (b *settleBatch) know(claims []seckill.Claim) {
	for _, claim := range claims {
		b.known[claim.ID] = &knownClaim{Claim: claim}
	}
}

// newUsers are the users of an item's reservations that have no claim yet.
func (b *settleBatch) newUsers(item seckill.ID) []seckill.UserID {
	users := make(map[seckill.UserID]struct{})
	for _, m := range b.messages[item] {
		for _, r := range m.Reservations {
			if b.known[r.ID] == nil {
				users[r.User] = struct{}{}
			}
		}
	}
	return slices.Sorted(maps.Keys(users))
}

func (b *settleBatch) decide() {
	for _, item := range b.items {
		plan := b.plans[item]
		if plan == nil {
			b.result.Ahead = append(b.result.Ahead, b.messages[item]...)
			continue
		}
		for _, m := range b.messages[item] {
			plan.settle(m)
		}
		b.result.Held = append(b.result.Held, plan.result.Held...)
		b.result.Rejected = append(b.result.Rejected, plan.result.Rejected...)
		b.result.Doubled = append(b.result.Doubled, plan.result.Doubled...)
		b.result.Ahead = append(b.result.Ahead, plan.result.Ahead...)
	}
}

func (b *settleBatch) write(tx *gorm.DB) error {
	var claims []seckill.Claim
	var keyless []seckill.ID
	var owed []seckill.Owed
	var events []seckill.Event
	for _, item := range b.items {
		plan := b.plans[item]
		if plan == nil {
			continue
		}
		if err := writeStock(tx, plan.stock); err != nil {
			return err
		}
		claims = append(claims, plan.claims...)
		keyless = append(keyless, plan.keyless...)
		owed = append(owed, plan.owed...)
		if event, isTold := seckill.NewSoldOutEvent(plan.locked, plan.stock); isTold {
			events = append(events, event)
		}
	}
	if err := freeKeys(tx, keyless); err != nil {
		return err
	}
	if err := writeClaims(tx, claims); err != nil {
		return err
	}
	err := b.store.owe(tx, owed)
	if errors.Is(err, seckill.ErrUnavailable) {
		// No id could be made: that passes, and must not be taken for poison.
		return fmt.Errorf("%w: %w", seckill.ErrTransient, err)
	}
	if err != nil {
		return err
	}
	return b.store.tell(tx, events)
}
