package purchase_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/seckill-dev/seckill/internal/handclock"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// fakeQueue is the publisher and its watch.
type fakeQueue struct {
	mu       sync.Mutex
	publish  func(seckill.Outgoing) error
	messages []seckill.Outgoing // asked to publish
	durable  []seckill.Outgoing // confirmed
	state    seckill.QueueState
	lookErr  error
	shut     error // what Available says
	asked    int   // the shard that Available was asked for last
}

func (q *fakeQueue) Available(shard int) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.asked = shard
	return q.shut
}

func (q *fakeQueue) Publish(_ context.Context, message seckill.Outgoing) error {
	q.mu.Lock()
	q.messages = append(q.messages, message)
	publish := q.publish
	q.mu.Unlock()
	if publish != nil {
		if err := publish(message); err != nil {
			return err
		}
	}
	q.set(func(q *fakeQueue) { q.durable = append(q.durable, message) })
	return nil
}

func (q *fakeQueue) Look(context.Context, int) (seckill.QueueState, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.state, q.lookErr
}

func (q *fakeQueue) set(change func(*fakeQueue)) {
	q.mu.Lock()
	defer q.mu.Unlock()
	change(q)
}

func queueDown(q *fakeQueue) {
	q.publish = func(seckill.Outgoing) error { return seckill.ErrUnavailable }
}

func queueUp(q *fakeQueue) { q.publish = nil }

func (q *fakeQueue) published() []seckill.Outgoing {
	q.mu.Lock()
	defer q.mu.Unlock()
	return slices.Clone(q.messages)
}

// fakeSQL is everything that lives in the database.
type fakeSQL struct {
	clock *handclock.Clock

	mu     sync.Mutex
	sale   seckill.Sale
	claims []seckill.Claim
	stock  seckill.Stock
	beats  []seckill.Beat
	err    error
	calls  map[string]int
	// cutOff says that heartbeats do not reach cutShard.
	cutOff   bool
	cutShard int
	// reading runs at the begin of every read, unlocked.
	reading func(call string)
}

func (f *fakeSQL) begin(call string) error {
	f.mu.Lock()
	f.calls[call]++
	err, reading := f.err, f.reading
	f.mu.Unlock()
	if reading != nil {
		reading(call)
	}
	return err
}

func (f *fakeSQL) count(calls ...string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	sum := 0
	for _, call := range calls {
		sum += f.calls[call]
	}
	return sum
}

func (f *fakeSQL) set(change func(*fakeSQL)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(f)
}

func (f *fakeSQL) claim(claims ...seckill.Claim) {
	f.set(func(f *fakeSQL) { f.claims = append(f.claims, claims...) })
}

func (f *fakeSQL) where(keep func(seckill.Claim) bool) []seckill.Claim {
	f.mu.Lock()
	defer f.mu.Unlock()
	var found []seckill.Claim
	for _, c := range f.claims {
		if keep(c) {
			found = append(found, c)
		}
	}
	return found
}

// The ports, each with the methods that purchase may call; any other is a nil pointer.
type fakeClaims struct {
	seckill.Claims
	*fakeSQL
}

func (f fakeClaims) Find(_ context.Context, _ seckill.ID, ids []seckill.ID) ([]seckill.Claim, error) {
	if err := f.begin("find"); err != nil {
		return nil, err
	}
	found := f.where(func(c seckill.Claim) bool { return slices.Contains(ids, c.ID) })
	f.set(func(f *fakeSQL) { f.calls["found"] += len(ids) })
	return found, nil
}

func (f fakeClaims) FindKeys(_ context.Context, _ seckill.ID, keys []seckill.LookRequest) ([]seckill.Claim, error) {
	if err := f.begin("keys"); err != nil {
		return nil, err
	}
	return f.where(func(c seckill.Claim) bool {
		return slices.Contains(keys, seckill.LookRequest{User: c.User, KeyHash: c.KeyHash})
	}), nil
}

func (f fakeClaims) OfUser(_ context.Context, _ seckill.ID, user seckill.UserID) ([]seckill.Claim, error) {
	if err := f.begin("ofuser"); err != nil {
		return nil, err
	}
	return f.where(func(c seckill.Claim) bool { return c.User == user }), nil
}

type fakeStocks struct {
	seckill.Stocks
	*fakeSQL
}

func (f fakeStocks) Get(context.Context, seckill.ID) (seckill.Stock, error) {
	if err := f.begin("stock"); err != nil {
		return seckill.Stock{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.stock, nil
}

type fakeCatalog struct {
	seckill.Catalog
	*fakeSQL
}

func (f fakeCatalog) Running(context.Context, time.Time) ([]seckill.Sale, error) {
	if err := f.begin("running"); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return []seckill.Sale{f.sale}, nil
}

// The archive: items of sales that the cache does not hold.
const (
	oldMug   seckill.ID = 6000 // its sale ended long ago
	draftMug seckill.ID = 6001 // its sale is a draft
	newMug   seckill.ID = 6002 // its sale was scheduled a moment ago
)

func (f fakeCatalog) Item(_ context.Context, id seckill.ID) (seckill.Item, error) {
	if err := f.begin("item"); err != nil {
		return seckill.Item{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, item := range f.sale.Items {
		if item.ID == id {
			return item, nil
		}
	}
	if id < oldMug || id > newMug {
		return seckill.Item{}, seckill.ErrNotFound
	}
	return seckill.Item{ID: id, Sale: id - 5400}, nil
}

func (f fakeCatalog) Sale(_ context.Context, id seckill.ID) (seckill.Sale, error) {
	states := map[seckill.ID]seckill.SaleState{600: seckill.SaleEnded, 601: seckill.SaleDraft, 602: seckill.SaleScheduled}
	f.mu.Lock()
	defer f.mu.Unlock()
	if id == f.sale.ID {
		return f.sale, nil
	}
	return seckill.Sale{ID: id, State: states[id]}, nil
}

type fakeMarks struct {
	seckill.Marks
	*fakeSQL
}

func (f fakeMarks) Now(context.Context, int) (time.Time, error) {
	if err := f.begin("now"); err != nil {
		return time.Time{}, err
	}
	return f.clock.Now(), nil
}

func (f fakeMarks) Beat(_ context.Context, shard int, beat seckill.Beat) error {
	if err := f.begin("beat"); err != nil {
		return err
	}
	if f.cutOff && shard == f.cutShard {
		return errors.New("no route to the shard")
	}
	f.set(func(f *fakeSQL) { f.beats = append(f.beats, beat) })
	return nil
}

func (f *fakeSQL) written() []seckill.Beat {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.beats)
}

type fakeIDs struct {
	mu   sync.Mutex
	last seckill.ID
}

func (f *fakeIDs) Next(int) (seckill.ID, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last++
	return f.last, nil
}

// fakeShards puts the mug, whose bucket is 1, on the last of two.
type fakeShards int

func (n fakeShards) Count() int           { return int(n) }
func (n fakeShards) Shard(bucket int) int { return bucket % int(n) }

// fakeNews hands announcements to the listener.
type fakeNews struct{ decided chan []seckill.Decision }

func (f fakeNews) Announce(context.Context, []seckill.Decision) error { return nil }

func (f fakeNews) Listen(ctx context.Context, deliver func([]seckill.Decision)) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case decisions := <-f.decided:
			deliver(decisions)
		}
	}
}
