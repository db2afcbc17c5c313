package app_test

import (
	"context"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/seckill-dev/seckill/internal/app"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// The named points between two steps of the protocol. A process that dies "after" a step has done it and nothing that
// follows.
const (
	afterReserve     = "after reserve"
	beforePublish    = "before publish"
	afterPublish     = "after publish"
	afterSent        = "after sent"
	beforeT1         = "before T1"
	afterT1          = "after T1"
	afterBoth        = "after T1 with T2"
	afterAck         = "after ack"
	beforeSettled    = "before settled"
	afterT2          = "after T2"
	afterMark        = "after marking ordered"
	afterSeal        = "after seal"
	afterRebuild     = "after rebuild"
	afterLoadBuyers  = "after loading buyers"
	afterLoad        = "after load"
	beforeOpen       = "before opening in SQL"
	afterOpen        = "after opening in SQL"
	afterGate        = "after lighting the gate"
	afterSchedule    = "after scheduling"
	afterStockCreate = "after creating stock"
)

// cutPoints lists the points that a running sale passes after a restart.
func cutPoints() []string {
	return []string{
		afterReserve, beforePublish, afterPublish, afterSent, beforeT1, afterT1, afterBoth, afterAck, beforeSettled, afterT2,
		afterMark,
		afterSeal, afterRebuild, afterLoadBuyers, afterLoad, beforeOpen, afterOpen, afterGate,
	}
}

// cuts stands between the use cases and the stores and tells hook where the process is.
type cuts struct{ hook func(point string) }

// option puts the cuts into a system.
func (c cuts) option() app.Option {
	return func(b *app.Backend) {
		b.Lent = cutLent{b.Lent, c}
		b.Publisher = cutPublisher{b.Publisher, c}
		b.Consumer = cutConsumer{b.Consumer, c}
		b.Claims = &cutClaims{Claims: b.Claims, cuts: c}
		b.Orders = cutOrders{b.Orders, c}
		b.Stocks = cutStocks{b.Stocks, c}
		b.Catalog = cutCatalog{b.Catalog, c}
		c.atTheTill(b)
	}
}

// dieAt is a hook that ends the process as kill -9 does when it passes the point for the nth time.
func dieAt(at string, nth int64) func(string) {
	var left atomic.Int64
	left.Store(nth)
	return func(point string) {
		if point == at && left.Add(-1) == 0 {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {} // the signal is on its way; nothing more may happen here
		}
	}
}

type cutLent struct {
	seckill.Lent
	cuts
}

func (l cutLent) Reserve(ctx context.Context, item, batch seckill.ID, requests []seckill.ReserveRequest) (seckill.ReserveReply, error) {
	reply, err := l.Lent.Reserve(ctx, item, batch, requests)
	if reply.Own.Bytes != nil {
		l.hook(afterReserve)
	}
	return reply, err
}

func (l cutLent) Sent(ctx context.Context, item seckill.ID, batches []seckill.ID) error {
	err := l.Lent.Sent(ctx, item, batches)
	l.hook(afterSent)
	return err
}

func (l cutLent) Settled(ctx context.Context, item seckill.ID, batches []seckill.ID) error {
	l.hook(beforeSettled)
	return l.Lent.Settled(ctx, item, batches)
}

func (l cutLent) LoadBuyers(ctx context.Context, item seckill.ID, epoch int64, attempt seckill.ID, buyers []seckill.Buyer) error {
	err := l.Lent.LoadBuyers(ctx, item, epoch, attempt, buyers)
	l.hook(afterLoadBuyers)
	return err
}

func (l cutLent) Load(ctx context.Context, load seckill.Load) error {
	err := l.Lent.Load(ctx, load)
	l.hook(afterLoad)
	return err
}

func (l cutLent) Open(ctx context.Context, gate seckill.Gate) error {
	err := l.Lent.Open(ctx, gate)
	l.hook(afterGate)
	return err
}

type cutPublisher struct {
	seckill.Publisher
	cuts
}

func (p cutPublisher) Publish(ctx context.Context, message seckill.Outgoing) error {
	p.hook(beforePublish)
	err := p.Publisher.Publish(ctx, message)
	p.hook(afterPublish)
	return err
}

type cutConsumer struct {
	seckill.Consumer
	cuts
}

func (c cutConsumer) Subscribe(ctx context.Context, shard int) (seckill.Subscription, error) {
	subscription, err := c.Consumer.Subscribe(ctx, shard)
	return cutSubscription{subscription, c.cuts}, err
}

type cutSubscription struct {
	seckill.Subscription
	cuts
}

func (s cutSubscription) Ack(ctx context.Context, deliveries []seckill.Delivery) error {
	err := s.Subscription.Ack(ctx, deliveries)
	s.hook(afterAck)
	return err
}

// cutClaims forgets the terms every other time, so that T2 has its own steps as well.
type cutClaims struct {
	seckill.Claims
	cuts
	calls atomic.Int64
}

func (c *cutClaims) Settle(
	ctx context.Context, shard int, messages []seckill.Message, terms map[seckill.ID]seckill.Terms,
) (seckill.Settlement, error) {
	if c.calls.Add(1)%2 == 1 {
		terms = nil
	}
	c.hook(beforeT1)
	settlement, err := c.Claims.Settle(ctx, shard, messages, terms)
	if len(settlement.Ordered) > 0 {
		c.hook(afterBoth)
	} else {
		c.hook(afterT1)
	}
	return settlement, err
}

func (c *cutClaims) MarkOrdered(ctx context.Context, shard int, ids []seckill.ID) error {
	err := c.Claims.MarkOrdered(ctx, shard, ids)
	c.hook(afterMark)
	return err
}

type cutOrders struct {
	seckill.Orders
	cuts
}

func (o cutOrders) Place(ctx context.Context, shard int, orders []seckill.NewOrder) error {
	err := o.Orders.Place(ctx, shard, orders)
	o.hook(afterT2)
	return err
}

type cutStocks struct {
	seckill.Stocks
	cuts
}

func (s cutStocks) Create(ctx context.Context, item seckill.Item, gate time.Duration) error {
	err := s.Stocks.Create(ctx, item, gate)
	s.hook(afterStockCreate)
	return err
}

func (s cutStocks) Seal(ctx context.Context, request seckill.SealRequest) (bool, error) {
	sealed, err := s.Stocks.Seal(ctx, request)
	s.hook(afterSeal)
	return sealed, err
}

func (s cutStocks) Rebuild(ctx context.Context, rebuild seckill.Rebuild) (seckill.Stock, bool, error) {
	stock, changed, err := s.Stocks.Rebuild(ctx, rebuild)
	s.hook(afterRebuild)
	return stock, changed, err
}

func (s cutStocks) Open(ctx context.Context, item seckill.ID, epoch int64, attempt seckill.ID) (bool, error) {
	s.hook(beforeOpen)
	opened, err := s.Stocks.Open(ctx, item, epoch, attempt)
	s.hook(afterOpen)
	return opened, err
}

type cutCatalog struct {
	seckill.Catalog
	cuts
}

func (c cutCatalog) Change(ctx context.Context, change seckill.SaleChange) (bool, error) {
	changed, err := c.Catalog.Change(ctx, change)
	c.hook(afterSchedule)
	return changed, err
}
