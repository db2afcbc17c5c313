package settle

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// rig is a worker on fakes that record what was asked of them in one common order.
type rig struct {
	mu     sync.Mutex
	events []string
	// told wakes whoever waits for an event.
	told chan struct{}

	deliveries chan seckill.Delivery
	acked      []uint64
	buried     []string
	counted    []Poison
	log        bytes.Buffer
	announced  []seckill.ID
	settled    []seckill.ID
	ordered    []seckill.ID
	placed     []seckill.ID

	onSettle func([]seckill.Message) (seckill.Settlement, error)
	// onSettleWith is asked instead, when there is one.
	onSettleWith func([]seckill.Message, map[seckill.ID]seckill.Terms) (seckill.Settlement, error)
	onReject     func(seckill.Reserved) (seckill.Settlement, error)
	onPlace      func([]seckill.NewOrder) error
	waiting      []seckill.Claim
}

func newRig() *rig {
	return &rig{
		told: make(chan struct{}, 1), deliveries: make(chan seckill.Delivery, 100),
		onSettle: holdAll,
		onReject: func(r seckill.Reserved) (seckill.Settlement, error) {
			return seckill.Settlement{Rejected: []seckill.Claim{{ID: r.ID, State: seckill.ClaimRejected}}}, nil
		},
		onPlace: func([]seckill.NewOrder) error { return nil },
	}
}

// holdAll claims everything.
func holdAll(messages []seckill.Message) (seckill.Settlement, error) {
	var s seckill.Settlement
	for _, m := range messages {
		for _, r := range m.Reservations {
			s.Held = append(s.Held, seckill.Claim{ID: r.ID, Item: m.Item, User: r.User, Quantity: r.Quantity, State: seckill.ClaimHeld})
		}
	}
	return s, nil
}

func (r *rig) ports() Ports {
	return Ports{
		Consumer: rigConsumer{r}, Claims: rigClaims{r: r}, Orders: rigOrders{r: r}, Catalog: rigCatalog{},
		Lent: rigLent{r: r}, Announcements: rigAnnouncements{r}, Shards: oneShard{},
		Clock: seckill.SystemClock{}, Log: slog.New(slog.NewTextHandler(&r.log, nil)),
		DeadLettered: func(p Poison) { r.note("counted", func() { r.counted = append(r.counted, p) }) },
	}
}

func (r *rig) note(event string, record func()) {
	r.mu.Lock()
	r.events = append(r.events, event)
	record()
	r.mu.Unlock()
	select {
	case r.told <- struct{}{}:
	default:
	}
}

// run settles the bodies until done says so, then stops the worker.
func (r *rig) run(t *testing.T, done func() bool, bodies ...[]byte) {
	t.Helper()
	r.deliver(bodies...)
	ctx, stop := context.WithCancel(t.Context())
	stopped := r.work(ctx)
	r.await(t, done)
	stop()
	if err := <-stopped; err != nil {
		t.Fatal(err)
	}
}

func (r *rig) deliver(bodies ...[]byte) {
	for i, body := range bodies {
		r.deliveries <- seckill.Delivery{Tag: uint64(i + 1), Message: fmt.Sprint("message-", i+1), Body: body}
	}
}

// work starts the worker, and tells when it has stopped.
func (r *rig) work(ctx context.Context) <-chan error {
	stopped := make(chan error, 1)
	go func() { stopped <- NewWorker(r.ports()).Run(ctx) }()
	return stopped
}

func (r *rig) await(t *testing.T, done func() bool) {
	t.Helper()
	late := time.After(10 * time.Second)
	for {
		r.mu.Lock()
		ok := done()
		r.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-r.told:
		case <-late:
			t.Fatalf("never happened; events %v", r.events)
		}
	}
}

func (r *rig) before(first, second string) bool {
	i, j := slices.Index(r.events, first), slices.Index(r.events, second)
	return i >= 0 && j >= 0 && i < j
}

func body(batch seckill.ID, reservations ...seckill.ID) []byte {
	m := seckill.Message{Batch: batch, Item: 9, Epoch: 1, At: 1, Sold: 1}
	for _, id := range reservations {
		m.Reservations = append(m.Reservations, seckill.Reserved{ID: id, User: "ann", Quantity: 1, KeyHash: id.String()})
	}
	return m.Encode()
}

type oneShard struct{}

func (oneShard) Count() int    { return 1 }
func (oneShard) Shard(int) int { return 0 }

type rigConsumer struct{ r *rig }

func (c rigConsumer) Subscribe(context.Context, int) (seckill.Subscription, error) {
	return rigSubscription(c), nil
}

type rigSubscription struct{ r *rig }

func (s rigSubscription) Deliveries() <-chan seckill.Delivery { return s.r.deliveries }
func (s rigSubscription) Close() error                        { return nil }

func (s rigSubscription) Ack(_ context.Context, deliveries []seckill.Delivery) error {
	s.r.note("ack", func() {
		for _, d := range deliveries {
			s.r.acked = append(s.r.acked, d.Tag)
		}
	})
	return nil
}

func (s rigSubscription) DeadLetter(_ context.Context, d seckill.Delivery, cause string) error {
	s.r.note("dead", func() { s.r.buried = append(s.r.buried, cause+"|"+string(d.Body)) })
	return nil
}

type rigClaims struct {
	seckill.Claims
	r *rig
}

func (c rigClaims) Settle(
	_ context.Context, _ int, messages []seckill.Message, terms map[seckill.ID]seckill.Terms,
) (settlement seckill.Settlement, err error) {
	if c.r.onSettleWith != nil {
		settlement, err = c.r.onSettleWith(messages, terms)
	} else {
		settlement, err = c.r.onSettle(messages)
	}
	c.r.note("t1", func() {})
	return settlement, err
}

func (c rigClaims) Reject(_ context.Context, _ int, _ seckill.Message, reserved seckill.Reserved, _ seckill.Reason) (seckill.Settlement, error) {
	c.r.note("reject", func() {})
	return c.r.onReject(reserved)
}

func (c rigClaims) MarkOrdered(_ context.Context, _ int, ids []seckill.ID) error {
	c.r.note("mark", func() { c.r.ordered = append(c.r.ordered, ids...) })
	return nil
}

func (c rigClaims) Unordered(context.Context, int, time.Duration, int) ([]seckill.Claim, error) {
	return c.r.waiting, nil
}

type rigOrders struct {
	seckill.Orders
	r *rig
}

func (o rigOrders) Place(ctx context.Context, _ int, orders []seckill.NewOrder) error {
	err := errors.Join(o.r.onPlace(orders), ctx.Err())
	o.r.note("t2", func() {
		for _, order := range orders {
			o.r.placed = append(o.r.placed, order.ID)
		}
	})
	return err
}

type rigCatalog struct{ seckill.Catalog }

func (rigCatalog) Item(_ context.Context, id seckill.ID) (seckill.Item, error) {
	return seckill.Item{ID: id, Sale: 1, PriceMinor: 100, Currency: "EUR"}, nil
}

func (rigCatalog) Sale(_ context.Context, id seckill.ID) (seckill.Sale, error) {
	return seckill.Sale{ID: id, PayWithin: time.Minute}, nil
}

type rigLent struct {
	seckill.Lent
	r *rig
}

func (l rigLent) Settled(_ context.Context, _ seckill.ID, batches []seckill.ID) error {
	l.r.note("settled", func() { l.r.settled = append(l.r.settled, batches...) })
	return nil
}

type rigAnnouncements struct{ r *rig }

func (a rigAnnouncements) Announce(_ context.Context, decisions []seckill.Decision) error {
	a.r.note("announce", func() {
		for _, d := range decisions {
			a.r.announced = append(a.r.announced, d.Reservation)
		}
	})
	return nil
}

func (a rigAnnouncements) Listen(context.Context, func([]seckill.Decision)) error { return nil }
