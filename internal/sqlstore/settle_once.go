package sqlstore

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// errOtherwise ends a settling at once that met anything but new reservations that can all be held. Nothing is written.
var errOtherwise = errors.New("not every reservation is new and held")

// settleAtOnce is T1 and T2 in one transaction, for what almost every batch is: reservations that SQL has never seen and
// that can all be held. It saves a second commit, and the claims are written as ordered instead of being changed later.
//
// The orders are written first, in the hope that they may stay, and the stock rows are locked after them: so the greater
// part of the work is done while another transaction has the lock. Nobody who has locked a stock row goes on to an order,
// hence no deadlock. What is decided is decided on rows that were read under the lock, as ever.
func (c Claims) settleAtOnce(
	ctx context.Context, shard int, messages []seckill.Message, terms map[seckill.ID]seckill.Terms,
) (seckill.Settlement, error) {
	batch, err := c.newSettleBatch(shard, messages, "")
	if err != nil {
		return seckill.Settlement{}, err
	}
	batch.hopeful = true
	hoped := newHoped(c.router, shard, messages, terms)
	if len(hoped.orders) == 0 {
		return seckill.Settlement{}, errOtherwise
	}
	err = c.inTx(ctx, shard, func(tx *gorm.DB) error {
		return unhoped(batch.runHoping(tx, hoped, Orders(c)))
	})
	if err != nil {
		return seckill.Settlement{}, fmt.Errorf("settle %d messages on shard %d at once: %w", len(messages), shard, repeatable(err))
	}
	return batch.result, nil
}

func (b *settleBatch) runHoping(tx *gorm.DB, hoped hoped, orders Orders) error {
	if err := hoped.place(orders, tx); err != nil {
		return err
	}
	if err := b.read(tx); err != nil {
		return err
	}
	b.decide()
	if !hoped.cameTrue(b) {
		return errOtherwise
	}
	return b.write(tx)
}

// unhoped takes what the data is to blame for, a taken key or a refused value, for a reason to go step by step. So is a
// deadlock: those who wait for the row of an order that is rolled back, because they have the same one, meet in one.
func unhoped(err error) error {
	kind := failureOf(err)
	if kind == refusedFailure || kind == takenFailure || isDeadlock(err) || errors.Is(err, seckill.ErrPoison) {
		return fmt.Errorf("%w: %w", errOtherwise, err)
	}
	return err
}

// hoped are the orders that can be placed with their claims.
type hoped struct {
	shard  int
	orders []seckill.NewOrder
	// all is how many reservations there are, those of users who live elsewhere included.
	all int
}

func newHoped(router router, shard int, messages []seckill.Message, terms map[seckill.ID]seckill.Terms) hoped {
	h := hoped{shard: shard}
	for _, m := range messages {
		h.all += len(m.Reservations)
		t, known := terms[m.Item]
		if !known {
			continue
		}
		for _, r := range m.Reservations {
			if router.Shard(r.User.Bucket()) == shard {
				h.orders = append(h.orders, t.Order(r.ID, m.Item, r.User, r.Quantity))
			}
		}
	}
	return h
}

// place writes them. An order that exists is a taken key: nothing is skipped here.
func (h hoped) place(o Orders, tx *gorm.DB) error {
	tables, err := o.byTable(h.shard, h.orders)
	if err != nil {
		return err
	}
	p, err := o.newPlacing(tx)
	if err != nil {
		return err
	}
	p.fresh = true
	return p.placeAll(tables, h.orders)
}

// cameTrue says whether every reservation has become a new claim that is held. Then those with an order are ordered.
func (h hoped) cameTrue(b *settleBatch) bool {
	if len(b.result.Held) != h.all || len(b.result.Rejected)+len(b.result.Doubled)+len(b.result.Ahead) > 0 {
		return false
	}
	placed := make(map[seckill.ID]bool, len(h.orders))
	for _, order := range h.orders {
		placed[order.ID] = true
	}
	var claims int
	for _, plan := range b.plans {
		claims += len(plan.claims)
		for i := range plan.claims {
			plan.claims[i].Ordered = placed[plan.claims[i].ID]
		}
	}
	b.result.Ordered, b.result.Held = split(b.result.Held, placed)
	return claims == h.all
}

// split tells the claims that have an order from the others.
func split(held []seckill.Claim, placed map[seckill.ID]bool) (ordered, others []seckill.Claim) {
	for _, claim := range held {
		if claim.Ordered = placed[claim.ID]; claim.Ordered {
			ordered = append(ordered, claim)
		} else {
			others = append(others, claim)
		}
	}
	return ordered, others
}
