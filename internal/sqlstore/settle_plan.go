package sqlstore

import (
	"fmt"
	"slices"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// settling is T1 for one item, decided without I/O on what was read under the lock of its stock row. It changes stock
// and known as it goes, so that each reservation sees what the earlier ones of the same call were given.
type settling struct {
	stock seckill.Stock
	// locked is the row as it was found.
	locked seckill.Stock
	// forced, when not empty, is why everything that is new is rejected (poison).
	forced seckill.Reason
	// known are the claims with an id that occurs in the call; shared by all items of the call.
	known map[seckill.ID]*knownClaim
	// keys are the claims of the users concerned by the key that they hold, units what counts against each user's limit.
	keys  map[buyerKey]keyHolder
	units map[seckill.UserID]int64

	result seckill.Settlement
	claims []seckill.Claim
	owed   []seckill.Owed
	// keyless are rejected claims of earlier calls whose keys others have now.
	keyless []seckill.ID
}

// knownClaim is a claim and whether the call has reported it.
type knownClaim struct {
	seckill.Claim
	reported bool
}

type buyerKey struct {
	user    seckill.UserID
	keyHash string
}

// keyHolder is the claim that has a key; the zero value is nobody.
type keyHolder struct {
	id       seckill.ID
	rejected bool
}

func newSettling(
	stock seckill.Stock, forced seckill.Reason, known map[seckill.ID]*knownClaim, ofUsers []seckill.Claim,
) *settling {
	s := &settling{
		stock: stock, locked: stock, forced: forced, known: known,
		keys:  make(map[buyerKey]keyHolder, len(ofUsers)),
		units: make(map[seckill.UserID]int64, len(ofUsers)),
	}
	for _, c := range ofUsers {
		s.remember(c)
	}
	return s
}

// remember makes later decisions see a claim.
func (s *settling) remember(c seckill.Claim) {
	s.keys[buyerKey{c.User, c.KeyHash}] = keyHolder{c.ID, c.State == seckill.ClaimRejected}
	if counts(c, s.stock.OneTry) {
		s.units[c.User] += c.Quantity
	}
}

// counts says whether a claim counts against its user's limit: while it is held, and of an item with OneTry also when
// it was given back.
func counts(c seckill.Claim, oneTry bool) bool {
	return c.State == seckill.ClaimHeld || oneTry && c.State == seckill.ClaimReturned
}

// settle decides one message.
func (s *settling) settle(m seckill.Message) {
	if m.Epoch > s.stock.Epoch {
		s.halt(m)
		return
	}
	for _, r := range m.Reservations {
		if known := s.known[r.ID]; known != nil {
			s.meet(m, r, known)
			continue
		}
		s.claim(m, r)
	}
	if m.Epoch == s.stock.Epoch {
		s.stock.High = max(s.stock.High, m.Sold)
	}
}

// halt stops an item whose Redis is ahead of SQL: SQL was restored from a backup, and what it would decide now may
// contradict what it has forgotten.
func (s *settling) halt(m seckill.Message) {
	s.result.Ahead = append(s.result.Ahead, m)
	if s.stock.Halted == "" {
		s.stock.Halted = clip(fmt.Sprintf("batch %s is of epoch %d, SQL knows %d: was it restored from a backup?",
			m.Batch, m.Epoch, s.stock.Epoch))
	}
}

// meet decides a reservation whose id has a claim: usually itself, delivered again.
func (s *settling) meet(m seckill.Message, r seckill.Reserved, known *knownClaim) {
	if cause := doubled(m, r, known.Claim); cause != "" {
		s.result.Doubled = append(s.result.Doubled, seckill.Doubled{Message: m, Reservation: r, Cause: cause})
		return
	}
	if known.State == seckill.ClaimHeld && !known.Ordered && !known.reported {
		known.reported = true
		s.result.Held = append(s.result.Held, known.Claim)
	}
}

// doubled says why a reservation cannot be the claim of its id. Quantity and key are compared as well: an id is most
// likely made twice within one bucket, which is one user's. A claim rejected for its key has its own id instead.
func doubled(m seckill.Message, r seckill.Reserved, c seckill.Claim) string {
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
func (s *settling) claim(m seckill.Message, r seckill.Reserved) {
	c := seckill.Claim{
		ID: r.ID, Item: m.Item, User: r.User, Quantity: r.Quantity, KeyHash: r.KeyHash, Epoch: m.Epoch,
		State: seckill.ClaimHeld, CreatedAt: s.stock.ReadAt,
	}
	own := m.Epoch == s.stock.Epoch
	if own {
		// Not for known ids: redelivering must not keep a drain from seeing that nothing new comes.
		s.stock.Accounted += r.Quantity
		s.stock.ClaimedAt = s.stock.ReadAt
	}
	first := s.keys[buyerKey{c.User, c.KeyHash}]
	if c.Reason = s.verdict(c, first, own); c.Reason == "" {
		s.hold(c, first, own)
	} else {
		s.reject(c, first, own)
	}
}

// verdict is why a new claim is rejected, or "". The order is part of the protocol: a key that is taken says more than
// a limit, a limit more than empty hands. A rejected claim takes no key: it may have come late, from a Redis that was lost,
// after its shopper had asked again and been promised this one.
func (s *settling) verdict(c seckill.Claim, first keyHolder, own bool) seckill.Reason {
	switch {
	case s.forced != "":
		return s.forced
	case c.ID.Bucket() != c.User.Bucket():
		return seckill.Invalid // its order could be placed nowhere
	case first.id != 0 && !first.rejected:
		return seckill.Duplicate
	case s.units[c.User]+c.Quantity > s.stock.Ceiling:
		return seckill.LimitReached
	case *s.purse(own)+s.stock.Pool < c.Quantity:
		return seckill.SoldOut
	default:
		return ""
	}
}

// purse is where the units of a reservation are: those of the present epoch are still lent, those of a sealed one were
// put in doubt.
func (s *settling) purse(own bool) *int64 {
	if own {
		return &s.stock.Lent
	}
	return &s.stock.Doubt
}

// hold takes the units, the missing part out of the pool: a promise is worth more than a unit that nobody has asked for
// yet. Redis of a later epoch does not know a straggler's claim, so it is owed the entry.
func (s *settling) hold(c seckill.Claim, first keyHolder, own bool) {
	purse := s.purse(own)
	there := min(*purse, c.Quantity)
	*purse -= there
	s.stock.Pool -= c.Quantity - there
	s.stock.Claimed += c.Quantity
	if !own {
		s.owe(c, c.Quantity, c.KeyHash)
	}
	s.freeKey(first)
	s.write(c)
	s.result.Held = append(s.result.Held, c)
}

// freeKey has a rejected claim give its key away: from now on it is under its own id.
func (s *settling) freeKey(first keyHolder) {
	if first.id == 0 {
		return
	}
	at := slices.IndexFunc(s.claims, func(c seckill.Claim) bool { return c.ID == first.id })
	if at < 0 {
		s.keyless = append(s.keyless, first.id)
		return
	}
	s.claims[at].KeyHash = first.id.String()
}

// reject writes the claim as rejected and gives back what was set aside for it. Redis is owed an entry of quantity 0
// under the key that it knows, so that the buyer is not locked out and the key stays known; for a duplicate that entry
// is its own, by id, never the one of the reservation that has the key.
func (s *settling) reject(c seckill.Claim, first keyHolder, own bool) {
	s.owe(c, 0, c.KeyHash)
	if s.returns(c.Reason, own) {
		purse := s.purse(own)
		there := min(*purse, c.Quantity)
		*purse -= there
		s.stock.Pool += there
	}
	if first.id != 0 {
		c.KeyHash = c.ID.String()
		if c.Reason == seckill.Duplicate {
			c.First = first.id
		}
	}
	c.State = seckill.ClaimRejected
	s.write(c)
	s.result.Rejected = append(s.result.Rejected, c)
}

// returns says whether a rejected claim's units go to the pool. Always, except when they are the rest of too little:
// sold_out means that more was promised than there is, so other promises of that epoch may need that rest. In doubt and
// in a sealing epoch it stays for them, and goes to the pool when that ends. In an open epoch it would be stranded until
// the next seal: Redis counts it as sold, and lent = issued - accounted (what Redis has left and on its way) would not
// hold any more. A later message still finds it in the pool.
func (s *settling) returns(reason seckill.Reason, own bool) bool {
	return reason != seckill.SoldOut || (own && s.stock.State != seckill.StockSealing)
}

func (s *settling) owe(c seckill.Claim, quantity int64, keyHash string) {
	s.owed = append(s.owed, owedBuyer(s.stock, c, quantity, keyHash))
}

// owedBuyer is what Redis has to learn of a claim, in the epoch it was decided in or a later one.
func owedBuyer(s seckill.Stock, c seckill.Claim, quantity int64, keyHash string) seckill.Owed {
	return seckill.Owed{
		Kind: seckill.OwedBuyer, Item: c.Item, Epoch: s.Epoch, User: c.User,
		Entry: seckill.BuyerEntry{ID: c.ID, Quantity: quantity, KeyHash: keyHash},
	}
}

func (s *settling) write(c seckill.Claim) {
	s.claims = append(s.claims, c)
	s.known[c.ID] = &knownClaim{Claim: c, reported: true}
	s.remember(c)
}
