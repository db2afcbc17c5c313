package sim

import (
	"context"
	"time"

	"github.com/seckill-dev/seckill/internal/audit"
	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sim/ledger"
)

// booksPort is seckill.Books as a process reaches it.
type booksPort struct {
	ledger.Books

	p *process
}

var _ seckill.Books = booksPort{}

// watches are the live audits of a keeper: of some keepers, and less often than outside, because each is a way through
// everything.
func (p *process) watches() (turns []*turn) {
	if !p.plan.audits {
		return nil
	}
	ports := audit.WatchPorts{
		Ports: audit.Ports{
			Catalog: p.catalogPort(), Books: p.booksPort(), Claims: p.claimsPort(), Lent: p.redisPort(), Owing: p.owingPort(),
			Shards: p.ledger.Shards(), Clock: p.clock, Log: p.logger(),
		},
		Stocks: p.stocksPort(),
	}
	for shard := range p.plan.shards {
		turns = append(turns, &turn{name: "audit", every: auditEvery, job: audit.NewWatch(ports, shard), due: always})
	}
	return turns
}

// auditEvery is how often a watch takes a turn.
const auditEvery = 2 * time.Second

func (p *process) booksPort() booksPort { return booksPort{ledger.Books{Ledger: p.ledger}, p} }

// read is how every call of the books is made.
func read[T any](ctx context.Context, x booksPort, a about, do func(ctx context.Context) (T, error)) (T, error) {
	return ask(ctx, x.p, booksRead, a, do)
}

// Facts implements seckill.Books, and so do the others.
func (x booksPort) Facts(ctx context.Context, item seckill.ID) (seckill.StockFacts, error) {
	return read(ctx, x, about{item: item}, func(ctx context.Context) (seckill.StockFacts, error) { return x.Books.Facts(ctx, item) })
}

// StockItems lists items.
func (x booksPort) StockItems(ctx context.Context, shard int) ([]seckill.ID, error) {
	return read(ctx, x, about{shard: shard}, func(ctx context.Context) ([]seckill.ID, error) { return x.Books.StockItems(ctx, shard) })
}

// MovesOf reads moves.
func (x booksPort) MovesOf(ctx context.Context, item seckill.ID, ids []string) ([]seckill.Move, error) {
	return read(ctx, x, about{item: item}, func(ctx context.Context) ([]seckill.Move, error) { return x.Books.MovesOf(ctx, item, ids) })
}

// OwedAfter pages through what is owed.
func (x booksPort) OwedAfter(ctx context.Context, shard int, after seckill.ID, limit int) ([]seckill.Owed, error) {
	return read(ctx, x, about{shard: shard}, func(ctx context.Context) ([]seckill.Owed, error) {
		return x.Books.OwedAfter(ctx, shard, after, limit)
	})
}

// OrdersOf reads orders.
func (x booksPort) OrdersOf(ctx context.Context, ids []seckill.ID) ([]seckill.Order, error) {
	return read(ctx, x, about{id: first(ids)}, func(ctx context.Context) ([]seckill.Order, error) { return x.Books.OrdersOf(ctx, ids) })
}

// booked is the answer of OrdersAfter.
type booked struct {
	page []seckill.BookedOrder
	next string
}

// OrdersAfter pages through orders.
func (x booksPort) OrdersAfter(ctx context.Context, shard int, of []seckill.ID, cursor string, limit int) ([]seckill.BookedOrder, string, error) {
	answer, err := read(ctx, x, about{shard: shard}, func(ctx context.Context) (b booked, err error) {
		b.page, b.next, err = x.Books.OrdersAfter(ctx, shard, of, cursor, limit)
		return b, err
	})
	return answer.page, answer.next, err
}

// MoneyOf reads money.
func (x booksPort) MoneyOf(ctx context.Context, shard int, orders []seckill.ID) (seckill.Money, error) {
	return read(ctx, x, about{shard: shard}, func(ctx context.Context) (seckill.Money, error) { return x.Books.MoneyOf(ctx, shard, orders) })
}

// EventsAfter pages through events.
func (x booksPort) EventsAfter(ctx context.Context, shard int, after seckill.ID, limit int) ([]seckill.BookedEvent, error) {
	return read(ctx, x, about{shard: shard}, func(ctx context.Context) ([]seckill.BookedEvent, error) {
		return x.Books.EventsAfter(ctx, shard, after, limit)
	})
}

// ClaimsOf pages through claims.
func (x booksPort) ClaimsOf(ctx context.Context, item seckill.ID, after seckill.ClaimPlace, limit int) ([]seckill.Claim, error) {
	return read(ctx, x, about{item: item}, func(ctx context.Context) ([]seckill.Claim, error) {
		return x.Books.ClaimsOf(ctx, item, after, limit)
	})
}

// MovesBetween pages through moves.
func (x booksPort) MovesBetween(ctx context.Context, shard int, after, before string, limit int) ([]seckill.Move, error) {
	return read(ctx, x, about{shard: shard}, func(ctx context.Context) ([]seckill.Move, error) {
		return x.Books.MovesBetween(ctx, shard, after, before, limit)
	})
}
