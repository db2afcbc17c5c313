package app_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/app"
	"github.com/seckill-dev/seckill/internal/purchase"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// gatedPublisher lets nothing through while it is closed, and can be told to fail.
type gatedPublisher struct {
	seckill.Publisher
	mu     sync.Mutex
	gate   chan struct{} // nil: open
	broken bool
	tried  atomic.Int64
}

func (p *gatedPublisher) Publish(ctx context.Context, message seckill.Outgoing) error {
	p.tried.Add(1)
	p.mu.Lock()
	gate, broken := p.gate, p.broken
	p.mu.Unlock()
	if broken {
		return fmt.Errorf("the queue is away: %w", seckill.ErrUnavailable)
	}
	if gate != nil {
		select {
		case <-gate:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return p.Publisher.Publish(ctx, message)
}

func (p *gatedPublisher) set(gate chan struct{}, broken bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.gate, p.broken = gate, broken
}

func (p *gatedPublisher) option() app.Option {
	return func(b *app.Backend) { p.Publisher, b.Publisher = b.Publisher, p }
}

func TestPublish(t *testing.T) {
	t.Parallel()
	t.Run("trap 3: a replay is not promised before the publish is confirmed", replayAwaitsConfirm)
	t.Run("what the api could not publish is delivered by the relay, once", relayDelivers)
}

func replayAwaitsConfirm(t *testing.T) {
	t.Parallel()
	publisher := &gatedPublisher{}
	s := openSale(t, 10, 1, publisher.option())
	closed := make(chan struct{})
	publisher.set(closed, false)
	answers := make(chan error, 2)
	ask := func() { _, err := s.buy("ann", 1, "the-same-key"); answers <- err }
	go ask()
	s.await("the first publish is under way", func() bool { return publisher.tried.Load() == 1 })
	go ask()
	s.await("the replay publishes the same batch", func() bool { return publisher.tried.Load() >= 2 })
	if len(answers) > 0 {
		t.Fatalf("answered before the confirm: %v", <-answers)
	}
	close(closed)
	for range 2 {
		if err := <-answers; err != nil {
			wantReason(t, err, seckill.UnknownOutcome) // the confirm came too late
		}
	}
	s.mustInsist(1, "the-same-key")
	s.addsUp()
	s.wantOrders(1)
}

func relayDelivers(t *testing.T) {
	t.Parallel()
	publisher := &gatedPublisher{}
	s := openSale(t, 10, 2, publisher.option())
	publisher.set(nil, true)
	var err error
	s.await("a reservation whose message is not on the queue", func() bool {
		_, err = s.buy("ann", 1, "ann-buys-one")
		wantReason(t, err, seckill.UnknownOutcome, seckill.Busy)
		return seckill.ReasonOf(err) == seckill.UnknownOutcome
	})
	var refusal *seckill.Refusal
	if !errors.As(err, &refusal) || refusal.Reservation == 0 || refusal.Item != s.item.ID {
		t.Fatalf("unknown_outcome without its reservation: %+v", refusal)
	}
	// While the queue is away nothing is taken from the stock.
	_, err = s.buy("bob", 1, "bob-buys-one")
	wantReason(t, err, seckill.Busy)
	publisher.set(nil, false)
	s.await("the relay has delivered it", func() bool {
		found, err := s.system.Buying.Status(t.Context(), "ann", s.item.ID, refusal.Reservation, time.Second)
		return err == nil && found.State == seckill.ReservationOrdered
	})
	receipt, err := s.insist("ann", 1, "ann-buys-one")
	if err != nil || receipt.Reservation.ID != refusal.Reservation || !receipt.Replayed {
		t.Fatalf("repeated with the same key: %+v, %v", receipt, err)
	}
	s.addsUp()
	s.wantOrders(1)
}

// poisoner makes SQL refuse one user's reservations for good.
type poisoner struct {
	seckill.Claims
	user seckill.UserID
}

func (p *poisoner) Settle(
	ctx context.Context, shard int, messages []seckill.Message, terms map[seckill.ID]seckill.Terms,
) (seckill.Settlement, error) {
	for _, message := range messages {
		for _, reserved := range message.Reservations {
			if reserved.User == p.user {
				return seckill.Settlement{}, fmt.Errorf("insert claim: %w", seckill.ErrPoison)
			}
		}
	}
	return p.Claims.Settle(ctx, shard, messages, terms)
}

func TestRejection(t *testing.T) {
	t.Parallel()
	t.Run("traps 4, 14, peers: no endless processing: is told, gives the unit back, and keeps the key known", func(t *testing.T) {
		t.Parallel()
		poison := &poisoner{user: "eve"}
		s := openSale(t, 5, 5, func(b *app.Backend) { poison.Claims, b.Claims = b.Claims, poison })
		receipt, err := s.askInVain("eve", 2, "eve-buys-two")
		if err != nil {
			t.Fatal(err)
		}
		id := receipt.Reservation.ID
		s.await("the rejection is told", func() bool {
			found, err := s.system.Buying.Status(t.Context(), "eve", s.item.ID, id, time.Second)
			return err == nil && found.State == seckill.ReservationRejected && found.Reason == seckill.Invalid
		})
		s.await("its units are for sale again", func() bool {
			states, err := s.system.Backend.Lent.States(t.Context(), []seckill.ID{s.item.ID})
			return err == nil && states[0].Available == 5
		})
		s.await("the key stays known with its answer", func() bool {
			// Past the ledger: until redis has heard of the rejection it says queued again, which the ledger would insist on.
			again, err := s.system.Buying.Buy(t.Context(), purchaseOf(s, "eve", 2, "eve-buys-two"))
			return err == nil && again.Reservation.ID == id && again.Reservation.State == seckill.ReservationRejected
		})
		s.crowd(5, func(n int) { _, _ = s.insist(user(n), 1, key(n)) })
		s.soldOut()
		s.addsUp()
	})
	t.Run("does not stop the neighbours of the poisoned reservation", func(t *testing.T) {
		t.Parallel()
		poison := &poisoner{user: user(7)}
		s := openSale(t, 100, 1, func(b *app.Backend) { poison.Claims, b.Claims = b.Claims, poison })
		s.crowd(30, func(n int) {
			if _, err := s.askInVain(user(n), 1, key(n)); err != nil {
				t.Error(err)
			}
		})
		s.await("29 orders", func() bool { return s.orders() == 29 })
		s.addsUp()
	})
}

func purchaseOf(s *shop, user seckill.UserID, quantity int64, key string) purchase.Request {
	return purchase.Request{Item: s.item.ID, User: user, Quantity: quantity, Key: key}
}

func TestDeadLetters(t *testing.T) {
	t.Parallel()
	t.Run("peers: no poison loop: take what cannot be read, and its neighbours go on", deadLetterOfGarbage)
	t.Run("trap 23: take a doubled id, and the order of the first stays", deadLetterOfDoubledID)
	t.Run("take a message from the future, and stop the item", deadLetterFromTheFuture)
}

func deadLetterOfGarbage(t *testing.T) {
	t.Parallel()
	s := openSale(t, 10, 1)
	garbage := []byte(`{"v":1,"batch":`)
	s.publish(seckill.Outgoing{Batch: 1, Item: s.item.ID, Epoch: 1, Body: garbage})
	s.crowd(15, func(n int) { _, _ = s.insist(user(n), 1, "") })
	s.soldOut()
	s.addsUp()
	s.await("it is a dead letter with its bytes", func() bool {
		letters, err := s.system.Backend.DeadLetters.List(t.Context(), 0, 10)
		return err == nil && len(letters) == 1 && string(letters[0].Body) == string(garbage) && letters[0].Cause != ""
	})
}

func deadLetterOfDoubledID(t *testing.T) {
	t.Parallel()
	s := openSale(t, 10, 1)
	first := s.mustInsist(1, "ann-buys-one")
	s.settled()
	s.publishBob(2, 1, first.Reservation.ID)
	s.await("it is a dead letter", func() bool {
		letters, err := s.system.Backend.DeadLetters.List(t.Context(), 0, 10)
		return err == nil && len(letters) == 1
	})
	s.addsUp()
	s.wantOrders(1)
}

func deadLetterFromTheFuture(t *testing.T) {
	t.Parallel()
	s := openSale(t, 10, 1)
	s.publishBob(3, 99, 12345)
	s.await("the item is halted and not sold any more", func() bool {
		_, err := s.buy("ann", 1, "")
		return s.stock().Halted != "" && seckill.ReasonOf(err) == seckill.Busy
	})
	report, err := s.system.Audit.Run(s.t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Findings) != 1 || report.Findings[0].ID != "halted" || report.Findings[0].Key != s.item.ID.String() {
		t.Errorf("the audit should say that the item is halted, and nothing else: %+v", report.Findings)
	}
}

// publishBob puts a batch into the queue that nobody sold: one unit for bob, under an epoch and an id of choice.
func (s *shop) publishBob(batch seckill.ID, epoch int64, id seckill.ID) {
	s.t.Helper()
	m := seckill.Message{Batch: batch, Item: s.item.ID, Epoch: epoch, At: 1, Sold: 1, Reservations: []seckill.Reserved{
		{ID: id, User: "bob", Quantity: 1, KeyHash: id.String()},
	}}
	s.publish(seckill.Outgoing{Batch: batch, Item: m.Item, Epoch: epoch, Body: m.Encode()})
}

func (s *shop) publish(message seckill.Outgoing) {
	s.t.Helper()
	message.Shard = seckill.HomeShard(s.system.Backend.Shards, s.item.ID)
	if err := s.system.Backend.Publisher.Publish(s.t.Context(), message); err != nil {
		s.t.Fatal(err)
	}
}

// countingBackend counts what the hot path costs.
type countingBackend struct {
	reserves, looks, reads atomic.Int64
	// batches are those published; the relay may publish one again.
	batches sync.Map
}

func (c *countingBackend) published() (count int64) {
	c.batches.Range(func(any, any) bool { count++; return true })
	return count
}

type countedLent struct {
	seckill.Lent
	c *countingBackend
}

func (l countedLent) Reserve(ctx context.Context, item, batch seckill.ID, requests []seckill.ReserveRequest) (seckill.ReserveReply, error) {
	l.c.reserves.Add(1)
	return l.Lent.Reserve(ctx, item, batch, requests)
}

func (l countedLent) Look(ctx context.Context, item seckill.ID, requests []seckill.LookRequest) ([]seckill.LookAnswer, error) {
	l.c.looks.Add(1)
	return l.Lent.Look(ctx, item, requests)
}

type countedPublisher struct {
	seckill.Publisher
	c *countingBackend
}

func (p countedPublisher) Publish(ctx context.Context, message seckill.Outgoing) error {
	p.c.batches.Store(message.Batch, true)
	return p.Publisher.Publish(ctx, message)
}

// countedClaims and countedStocks stand before the only SQL that buying could reach per request.
type countedClaims struct {
	seckill.Claims
	c *countingBackend
}

func (k countedClaims) Find(ctx context.Context, item seckill.ID, ids []seckill.ID) ([]seckill.Claim, error) {
	k.c.reads.Add(1)
	return k.Claims.Find(ctx, item, ids)
}

func (k countedClaims) FindKeys(ctx context.Context, item seckill.ID, keys []seckill.LookRequest) ([]seckill.Claim, error) {
	k.c.reads.Add(1)
	return k.Claims.FindKeys(ctx, item, keys)
}

func (k countedClaims) OfUser(ctx context.Context, item seckill.ID, user seckill.UserID) ([]seckill.Claim, error) {
	k.c.reads.Add(1)
	return k.Claims.OfUser(ctx, item, user)
}

func TestCost(t *testing.T) {
	t.Parallel()
	t.Run("peers: no SQL per request: fresh requests and refusals cost none, and one redis call and one publish per batch at most", func(t *testing.T) {
		t.Parallel()
		count := &countingBackend{}
		s := openSale(t, 100, 1, func(b *app.Backend) {
			b.Lent, b.Publisher, b.Claims = countedLent{b.Lent, count}, countedPublisher{b.Publisher, count}, countedClaims{b.Claims, count}
		})
		var asked atomic.Int64
		s.crowd(400, func(n int) {
			_, _ = s.patiently(func() (purchase.Receipt, error) {
				asked.Add(1)
				return s.buy(user(n), 1, key(n))
			})
		})
		if got := count.reads.Load(); got != 0 {
			t.Errorf("%d reads in SQL", got)
		}
		if reserves := count.reserves.Load(); reserves == 0 || reserves > asked.Load() || count.published() > reserves {
			t.Errorf("%d redis calls and %d batches published for %d requests", reserves, count.published(), asked.Load())
		}
		s.await("the api has heard that nothing is left", func() bool {
			view, _ := s.system.Buying.View(s.item.ID)
			return view.Known && view.Available == 0
		})
		before, looked := count.reserves.Load(), count.looks.Load()
		s.crowd(400, func(n int) {
			_, err := s.insist(user(1000+n), 1, "")
			wantReason(t, err, seckill.SoldOut)
		})
		if got := count.reserves.Load() - before + count.looks.Load() - looked + count.reads.Load(); got != 0 {
			t.Errorf("400 refusals cost %d calls", got)
		}
		s.addsUp()
	})
}
