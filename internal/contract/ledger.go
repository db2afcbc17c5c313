package contract

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Ledger is a fresh store of stock, claims and orders: the ports that one transaction in SQL makes move together.
type Ledger struct {
	Stocks seckill.Stocks
	Claims seckill.Claims
	Orders seckill.Orders
	// Returns and Adjustments move what Stocks keeps.
	Returns     seckill.Returns
	Adjustments seckill.Adjustments

	Books  seckill.Books
	Owing  seckill.Owing
	Shards seckill.Shards
	IDs    seckill.IDs
	// Elapse makes everything that is timed on an item's stock and claims older, as if that much time had passed.
	Elapse func(ctx context.Context, item seckill.ID, passed time.Duration) error
	// Lose deletes an item's stock row, as no port ever does.
	Lose func(ctx context.Context, item seckill.ID) error
}

// ledgerCase is one behaviour of a port of the ledger.
type ledgerCase struct {
	name string
	run  func(l ledgerTest)
}

// runLedger runs each case on a ledger of its own.
func runLedger(t *testing.T, open func(t *testing.T) Ledger, cases []ledgerCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(ledgerTest{tester: t, Ledger: open(t)})
		})
	}
}

// ledgerTest says in a word what the cases do over and over.
type ledgerTest struct {
	tester
	Ledger
}

// tester is what the cases need of a test, so that a property may use them too.
type tester interface {
	Helper()
	Context() context.Context
	Failed() bool
	Error(args ...any)
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

func (l ledgerTest) elapse(item seckill.ID, passed time.Duration) {
	l.Helper()
	if err := l.Elapse(l.Context(), item, passed); err != nil {
		l.Fatal(err)
	}
}

// limitMany is a limit that no case reaches by accident.
const limitMany = 1000

func (l ledgerTest) id(bucket int) seckill.ID {
	l.Helper()
	id, err := l.IDs.Next(bucket)
	if err != nil {
		l.Fatal(err)
	}
	return id
}

// stocked makes an item somewhere with a new stock row.
func (l ledgerTest) stocked(units, limit int64) seckill.ID {
	l.Helper()
	return l.stockedAs(seckill.Item{Allotment: units, LimitPerUser: limit})
}

func (l ledgerTest) stockedAs(item seckill.Item) seckill.ID {
	l.Helper()
	item.ID = l.id(rand.IntN(seckill.Buckets))
	if err := l.Stocks.Create(l.Context(), item, seckill.GateDefault); err != nil {
		l.Fatal(err)
	}
	return item.ID
}

// opened is stocked with its first epoch open.
func (l ledgerTest) opened(units, limit int64) seckill.ID {
	l.Helper()
	item := l.stocked(units, limit)
	l.openNext(item, 0)
	return item
}

// openNext ends the present epoch, of which target units may have been promised, and opens the next.
func (l ledgerTest) openNext(item seckill.ID, target int64) seckill.Stock {
	l.Helper()
	stock := l.rebuild(item, target)
	if opened, err := l.Stocks.Open(l.Context(), item, stock.Epoch, stock.Attempt); err != nil || !opened {
		l.Fatalf("open epoch %d: %t, %v", stock.Epoch, opened, err)
	}
	return l.stock(item)
}

// rebuild ends the present epoch, sealing it first if it is open.
func (l ledgerTest) rebuild(item seckill.ID, target int64) seckill.Stock {
	l.Helper()
	l.seal(seckill.SealRequest{Item: item})
	stock := l.stock(item)
	next, done, err := l.Stocks.Rebuild(l.Context(), seckill.Rebuild{
		Item: item, Epoch: stock.Epoch, From: stock.State, Attempt: stock.Attempt,
		NextAttempt: l.id(item.Bucket()), Target: target,
	})
	if err != nil || !done {
		l.Fatalf("rebuild epoch %d: %t, %v", stock.Epoch, done, err)
	}
	return next
}

func (l ledgerTest) seal(request seckill.SealRequest) bool {
	l.Helper()
	sealed, err := l.Stocks.Seal(l.Context(), request)
	if err != nil {
		l.Fatal(err)
	}
	return sealed
}

func (l ledgerTest) stock(item seckill.ID) seckill.Stock {
	l.Helper()
	stock, err := l.Stocks.Get(l.Context(), item)
	if err != nil {
		l.Fatal(err)
	}
	return stock
}

// reserve is a reservation without a key.
func (l ledgerTest) reserve(user seckill.UserID, quantity int64) seckill.Reserved {
	l.Helper()
	return l.reserveKey(user, quantity, "")
}

func (l ledgerTest) reserveKey(user seckill.UserID, quantity int64, key string) seckill.Reserved {
	l.Helper()
	id := l.id(user.Bucket())
	return seckill.Reserved{ID: id, User: user, Quantity: quantity, KeyHash: seckill.KeyHash(key, id)}
}

// message is a batch of an epoch after which so much was sold.
func (l ledgerTest) message(item seckill.ID, epoch, sold int64, reserved ...seckill.Reserved) seckill.Message {
	l.Helper()
	return seckill.Message{
		Batch: l.id(item.Bucket()), Item: item, Epoch: epoch, At: time.Now().UnixMilli(), Sold: sold, Reservations: reserved,
	}
}

// settle is T1 on the home shard of the messages, all of which live on one.
func (l ledgerTest) settle(messages ...seckill.Message) seckill.Settlement {
	l.Helper()
	settlement, err := l.Claims.Settle(l.Context(), seckill.HomeShard(l.Shards, messages[0].Item), messages, nil)
	if err != nil {
		l.Fatal(err)
	}
	return settlement
}

// units wants the row to hold exactly these.
func (l ledgerTest) units(item seckill.ID, pool, lent, doubt, claimed int64) {
	l.Helper()
	s := l.stock(item)
	if s.Pool != pool || s.Lent != lent || s.Doubt != doubt || s.Claimed != claimed {
		l.Fatalf("want pool %d, lent %d, doubt %d, claimed %d; got %d, %d, %d, %d",
			pool, lent, doubt, claimed, s.Pool, s.Lent, s.Doubt, s.Claimed)
	}
	l.addsUp(item)
}

// addsUp wants everything that must be true of an item at any moment.
func (l ledgerTest) addsUp(item seckill.ID) {
	l.Helper()
	facts, err := l.Books.Facts(l.Context(), item)
	if err != nil {
		l.Fatal(err)
	}
	s := facts.Stock
	if s.Allotted != s.Pool+s.Lent+s.Doubt+s.Claimed || min(s.Pool, s.Lent, s.Doubt, s.Claimed) < 0 {
		l.Fatalf("units do not add up: %+v", s)
	}
	if s.Claimed != facts.HeldUnits || s.Accounted != facts.EpochUnits || s.Allotted != facts.AdjustUnits || s.Issue != facts.LastIssue {
		l.Fatalf("claims or moves do not add up: %+v", facts)
	}
	if facts.Moved[seckill.MoveReturn] != facts.ReturnedUnits || facts.Moved[seckill.MoveOwe] != s.OwedDecrease {
		l.Fatalf("returns or what is owed do not add up: %+v", facts)
	}
	if s.OwedDecrease > 0 && s.State != seckill.StockSealing && s.State != seckill.StockLoading {
		l.Fatalf("an item that is %s owes a decrease of %d", s.State, s.OwedDecrease)
	}
	if len(facts.OverLimit) > 0 {
		l.Fatalf("over the limit: %v", facts.OverLimit)
	}
}

// owed are the buyer entries that are owed for an item, oldest first.
func (l ledgerTest) owed(item seckill.ID) []seckill.Owed {
	l.Helper()
	all, err := l.Owing.Owed(l.Context(), seckill.HomeShard(l.Shards, item), seckill.OwedBuyer, 0, 1000)
	if err != nil {
		l.Fatal(err)
	}
	var owed []seckill.Owed
	for _, o := range all {
		if o.Item == item {
			owed = append(owed, o)
		}
	}
	return owed
}

// owes wants exactly one owed entry.
func (l ledgerTest) owes(item seckill.ID, epoch int64, r seckill.Reserved, quantity int64) {
	l.Helper()
	owed := l.owed(item)
	want := seckill.BuyerEntry{ID: r.ID, Quantity: quantity, KeyHash: r.KeyHash}
	if len(owed) != 1 || owed[0].Epoch != epoch || owed[0].User != r.User || owed[0].Entry != want {
		l.Fatalf("want %+v owed to %s at epoch %d, got %+v", want, r.User, epoch, owed)
	}
}

// heldOnly wants a settlement that held exactly these and refused nothing.
func (l ledgerTest) heldOnly(s seckill.Settlement, held ...seckill.Reserved) {
	l.Helper()
	if len(s.Held) != len(held) || len(s.Rejected)+len(s.Doubled)+len(s.Ahead) > 0 {
		l.Fatalf("want %d held and nothing else, got %+v", len(held), s)
	}
	for i, r := range held {
		c := s.Held[i]
		if c.ID != r.ID || c.User != r.User || c.Quantity != r.Quantity || c.State != seckill.ClaimHeld || c.Ordered {
			l.Fatalf("want %+v held, got %+v", r, c)
		}
	}
}

// rejectedOnly wants a settlement that rejected exactly this one.
func (l ledgerTest) rejectedOnly(s seckill.Settlement, r seckill.Reserved, reason seckill.Reason) seckill.Claim {
	l.Helper()
	if len(s.Rejected) != 1 || len(s.Held)+len(s.Doubled)+len(s.Ahead) > 0 {
		l.Fatalf("want one rejected and nothing else, got %+v", s)
	}
	c := s.Rejected[0]
	if c.ID != r.ID || c.State != seckill.ClaimRejected || c.Reason != reason {
		l.Fatalf("want %d rejected for %s, got %+v", r.ID, reason, c)
	}
	return c
}
