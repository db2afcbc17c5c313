package ledger

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Settle implements seckill.Claims.
func (c Claims) Settle(
	ctx context.Context, shard int, messages []seckill.Message, terms map[seckill.ID]seckill.Terms,
) (seckill.Settlement, error) {
	return c.settle(ctx, shard, messages, terms, "")
}

// Reject implements seckill.Claims.
func (c Claims) Reject(
	ctx context.Context, shard int, message seckill.Message, reserved seckill.Reserved, reason seckill.Reason,
) (seckill.Settlement, error) {
	message.Reservations = []seckill.Reserved{reserved}
	return c.settle(ctx, shard, []seckill.Message{message}, nil, reason)
}

// settle is T1, and with it T2 if that can be.
func (c Claims) settle(
	ctx context.Context, shard int, messages []seckill.Message, terms map[seckill.ID]seckill.Terms, forced seckill.Reason,
) (result seckill.Settlement, err error) {
	for _, m := range messages {
		if home := c.router.home(m.Item); home != shard {
			return result, fmt.Errorf("settle on shard %d: batch %s is of item %s, which lives on %d", shard, m.Batch, m.Item, home)
		}
	}
	err = c.on(ctx, shard, func(db *database) error {
		s := newSettling(db, forced)
		s.decide(messages)
		orders := s.placeable(messages, terms)
		if err := s.check(); err != nil {
			return err
		}
		s.commit(orders)
		result = s.result
		return nil
	})
	if err != nil {
		return seckill.Settlement{}, fmt.Errorf("settle %d messages on shard %d: %w", len(messages), shard, err)
	}
	return result, nil
}

// settling is one T1: it decides on copies of the stock rows, and each reservation sees what became of the earlier ones.
type settling struct {
	db *database
	// forced, when not empty, is why everything that is new is rejected (poison).
	forced seckill.Reason
	items  []*settledItem
	// claims are new, in the order they were decided, and once more by id. reported are known claims that are in the result.
	claims   []*seckill.Claim
	fresh    map[seckill.ID]*seckill.Claim
	reported map[seckill.ID]bool
	// keyless are rejected claims whose keys others have now, revived those that are held again, for who lacks something.
	keyless, revived []seckill.ID
	// stuck says that it cannot end, for who lacks something.
	stuck  bool
	owed   []seckill.Owed
	result seckill.Settlement
}

// settledItem is an item's row as it was, and as it will be.
type settledItem struct {
	before, stock seckill.Stock
	// bought are the new claims by user.
	bought map[seckill.UserID][]*seckill.Claim
}

func newSettling(db *database, forced seckill.Reason) *settling {
	return &settling{
		db: db, forced: forced, fresh: make(map[seckill.ID]*seckill.Claim), reported: make(map[seckill.ID]bool),
	}
}

// decide takes the items in the order of their ids.
func (s *settling) decide(messages []seckill.Message) {
	byItem := make(map[seckill.ID][]seckill.Message)
	for _, m := range messages {
		byItem[m.Item] = append(byItem[m.Item], m)
	}
	for _, id := range slices.Sorted(maps.Keys(byItem)) {
		stock, err := s.db.lockStock(id)
		if err != nil {
			s.result.Ahead = append(s.result.Ahead, byItem[id]...)
			continue
		}
		item := &settledItem{before: stock, stock: stock, bought: make(map[seckill.UserID][]*seckill.Claim)}
		s.items = append(s.items, item)
		for _, m := range byItem[id] {
			s.settle(item, m)
		}
	}
}

// settle decides one message. One of an epoch that SQL does not have halts its item.
func (s *settling) settle(item *settledItem, m seckill.Message) {
	if m.Epoch > item.stock.Epoch {
		s.result.Ahead = append(s.result.Ahead, m)
		if item.stock.Halted == "" {
			item.stock.Halted = clip(fmt.Sprintf("batch %s is of epoch %d, SQL knows %d", m.Batch, m.Epoch, item.stock.Epoch))
		}
		return
	}
	for _, r := range m.Reservations {
		if known := s.known(r.ID); known != nil {
			s.meet(item, m, r, known)
			continue
		}
		s.claim(item, m, r)
	}
	if m.Epoch == item.stock.Epoch && !s.db.lacks(LackHigh) {
		item.stock.High = max(item.stock.High, m.Sold)
	}
}

func (s *settling) known(id seckill.ID) *seckill.Claim {
	if claim := s.fresh[id]; claim != nil {
		return claim
	}
	return s.db.claims.byID.get(id)
}

// meet decides a reservation whose id has a claim: usually itself, delivered again.
func (s *settling) meet(item *settledItem, m seckill.Message, r seckill.Reserved, known *seckill.Claim) {
	if cause := doubled(m, r, known); cause != "" && !s.db.lacks(LackDoubled) {
		s.result.Doubled = append(s.result.Doubled, seckill.Doubled{Message: m, Reservation: r, Cause: cause})
		return
	}
	s.again(item, m, r, known)
	if known.State == seckill.ClaimHeld && !known.Ordered && !s.reported[r.ID] {
		s.reported[r.ID] = true
		s.result.Held = append(s.result.Held, *known)
	}
}

// again does twice what is done once, for who lacks something.
func (s *settling) again(item *settledItem, m seckill.Message, r seckill.Reserved, known *seckill.Claim) {
	s.stuck = s.stuck || s.db.lacks(LackRepeated)
	if s.db.lacks(LackReturned) && known.State == seckill.ClaimReturned {
		s.revived = append(s.revived, known.ID)
	}
	if m.Epoch != item.stock.Epoch {
		return
	}
	if s.db.lacks(LackAccounted) {
		item.stock.Accounted += r.Quantity
	}
	if s.db.lacks(LackKnown) && item.stock.Lent >= r.Quantity {
		item.stock.Lent, item.stock.Claimed = item.stock.Lent-r.Quantity, item.stock.Claimed+r.Quantity
	}
}

// doubled says why a reservation cannot be the claim of its id.
func doubled(m seckill.Message, r seckill.Reserved, c *seckill.Claim) string {
	switch {
	case c.Item != m.Item:
		return fmt.Sprintf("id %s belongs to item %s", c.ID, c.Item)
	case c.User != r.User:
		return fmt.Sprintf("id %s belongs to another user", c.ID)
	case c.Quantity != r.Quantity, c.KeyHash != r.KeyHash && c.KeyHash != c.ID.String():
		return fmt.Sprintf("id %s belongs to another reservation of the same user", c.ID)
	default:
		return ""
	}
}

// claim decides a reservation that is new.
func (s *settling) claim(item *settledItem, m seckill.Message, r seckill.Reserved) {
	stock := &item.stock
	c := &seckill.Claim{
		ID: r.ID, Item: m.Item, User: r.User, Quantity: r.Quantity, KeyHash: r.KeyHash, Epoch: m.Epoch,
		State: seckill.ClaimHeld, CreatedAt: stock.ReadAt,
	}
	purse := &stock.Doubt
	if m.Epoch == stock.Epoch {
		purse = &stock.Lent
		stock.Accounted += r.Quantity
		stock.ClaimedAt = stock.ReadAt
	}
	first := s.holder(item, c)
	if c.Reason = s.verdict(item, c, first, *purse+stock.Pool); c.Reason == "" {
		s.hold(stock, purse, c)
		s.freeKey(first)
	} else {
		s.reject(stock, purse, c, first)
	}
	if c.State == seckill.ClaimRejected && s.db.lacks(LackRejectClaim) {
		return
	}
	s.claims = append(s.claims, c)
	s.fresh[c.ID], s.reported[c.ID] = c, true
	item.bought[c.User] = append(item.bought[c.User], c)
}

// freeKey has a rejected claim give its key away.
func (s *settling) freeKey(first *seckill.Claim) {
	switch {
	case first == nil:
	case s.fresh[first.ID] != nil:
		first.KeyHash = first.ID.String()
	default:
		s.keyless = append(s.keyless, first.ID)
	}
}

// holder is the claim that has the key of this one, or nil.
func (s *settling) holder(item *settledItem, c *seckill.Claim) *seckill.Claim {
	for _, claims := range [][]*seckill.Claim{s.db.claims.of(c.Item, c.User), item.bought[c.User]} {
		for _, other := range claims {
			if other.KeyHash == c.KeyHash && !s.db.lacks(LackKey) {
				return other
			}
		}
	}
	return nil
}

// used is what counts against the limit of a claim's user.
func (s *settling) used(item *settledItem, c *seckill.Claim) (units int64) {
	for _, claims := range [][]*seckill.Claim{s.db.claims.of(c.Item, c.User), item.bought[c.User]} {
		for _, other := range claims {
			if counts(other, item.stock.OneTry) {
				units += other.Quantity
			}
		}
	}
	return units
}

// verdict is why a new claim is rejected, or "". The order is part of the protocol.
func (s *settling) verdict(item *settledItem, c *seckill.Claim, first *seckill.Claim, there int64) seckill.Reason {
	switch {
	case s.forced != "":
		return s.forced
	case c.ID.Bucket() != c.User.Bucket():
		return seckill.Invalid
	case first != nil && first.State != seckill.ClaimRejected:
		return seckill.Duplicate
	case s.used(item, c)+c.Quantity > item.stock.Ceiling && !s.db.lacks(LackLimit):
		return seckill.LimitReached
	case there < c.Quantity && !s.db.lacks(LackCheck):
		return seckill.SoldOut
	default:
		return ""
	}
}

// hold takes the units from where they are, the missing part out of the pool. Redis of a later epoch is owed the entry.
func (s *settling) hold(stock *seckill.Stock, purse *int64, c *seckill.Claim) {
	there := min(*purse, c.Quantity)
	*purse -= there
	stock.Pool -= c.Quantity - there
	stock.Claimed += c.Quantity
	if c.Epoch != stock.Epoch && !s.db.lacks(LackStraggler) {
		s.owed = append(s.owed, owedBuyer(*stock, *c, c.Quantity))
	}
	s.result.Held = append(s.result.Held, *c)
}

// reject gives back what was set aside, and owes the buyer an entry of nothing. What is the rest of too little stays where
// other promises of its epoch may need it: in doubt, and in a sealing epoch.
func (s *settling) reject(stock *seckill.Stock, purse *int64, c *seckill.Claim, first *seckill.Claim) {
	if !s.db.lacks(LackRejectOwed) {
		s.owed = append(s.owed, owedBuyer(*stock, *c, 0))
	}
	own := c.Epoch == stock.Epoch
	if c.Reason != seckill.SoldOut || own && stock.State != seckill.StockSealing || s.db.lacks(LackRejectRest) {
		there := s.miscount(min(*purse, c.Quantity), c.Quantity)
		*purse -= there
		stock.Pool += there
	}
	if first != nil {
		c.KeyHash = c.ID.String()
	}
	if c.Reason == seckill.Duplicate {
		c.First = first.ID
	}
	c.State = seckill.ClaimRejected
	s.result.Rejected = append(s.result.Rejected, *c)
}

// miscount is how many units of a rejection go to the pool, for who lacks something.
func (s *settling) miscount(there, asked int64) int64 {
	switch s.db.ledger.lack {
	case LackRejectUnits:
		return 0
	case LackRejectMin:
		return asked
	default:
		return there
	}
}

// owedBuyer is what Redis has to learn of a claim, in the epoch it was decided in or a later one.
func owedBuyer(s seckill.Stock, c seckill.Claim, quantity int64) seckill.Owed {
	return seckill.Owed{
		Kind: seckill.OwedBuyer, Item: c.Item, Epoch: s.Epoch, User: c.User,
		Entry: seckill.BuyerEntry{ID: c.ID, Quantity: quantity, KeyHash: c.KeyHash},
	}
}
