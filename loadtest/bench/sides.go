package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/seckill-dev/seckill/loadtest/bench/load"
	"github.com/seckill-dev/seckill/loadtest/bench/stage"
)

// The sides, as bench.json calls them.
const (
	sideGin       = "gin"
	sideNaive     = "naive"
	sideAccept    = "accept"
	sideRefuse    = "refuse"
	sideSettle    = "settle"
	sideInsert    = "insert"
	sideSustained = "sustained"
	sideEmbedded  = "embedded"
)

// productName is what the installation of a round is called.
const productName = "product"

// anyItem is what those sides sell that do not care.
const anyItem = "1234567890123456789"

// round measures every side once.
func (b *bench) round(ctx context.Context) error {
	for _, s := range []step{
		{sideGin, []string{"accept_vs_gin", "refuse_vs_gin"}, b.gin},
		{sideNaive, []string{"accept_vs_naive", "sustained_vs_naive", "embedded_vs_naive"}, b.naive},
		{"product", []string{
			"accept_vs_naive", "accept_vs_gin", "settle_vs_insert", "refuse_vs_gin", "sustained_vs_naive", "sustained_orders_per_s",
		}, b.roundOfProduct},
		{sideInsert, []string{"settle_vs_insert"}, b.insert},
		{sideEmbedded, []string{"embedded_vs_naive"}, b.embedded},
	} {
		if err := b.do(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// roundOfProduct starts fresh processes, so that no round profits from the one before.
func (b *bench) roundOfProduct(ctx context.Context) error {
	return b.with(ctx, productName, accepting(), func(p *stage.Product) error {
		for _, s := range []step{
			{sideAccept, []string{"accept_vs_naive", "accept_vs_gin", "settle_vs_insert"}, func(ctx context.Context) error { return b.accept(ctx, p) }},
			{sideRefuse, []string{"refuse_vs_gin"}, func(ctx context.Context) error { return b.refuse(ctx, p) }},
			{sideSustained, []string{"sustained_vs_naive", "sustained_orders_per_s"}, func(ctx context.Context) error { return b.sustained(ctx, p) }},
		} {
			if err := b.do(ctx, s); err != nil {
				return err
			}
		}
		return nil
	})
}

// accepting are the roles that accept, everything those that also make orders.
func accepting() []string  { return []string{stage.Keeper, stage.API} }
func everything() []string { return append(accepting(), stage.Worker) }

func (b *bench) gin(ctx context.Context) error {
	addr, err := stage.FreeAddress()
	if err != nil {
		return err
	}
	return b.peak(ctx, sideGin, addr, b.programs[ginFolder], "--listen", addr)
}

func (b *bench) naive(ctx context.Context) error {
	addr, err := stage.FreeAddress()
	if err != nil {
		return err
	}
	database, err := b.stage.TakeDatabase(ctx)
	if err != nil {
		return err
	}
	defer b.stage.ReturnDatabase(database)
	file, err := b.stage.WriteSettings(sideNaive, map[string]any{
		"Listen": addr, "Redis": b.stage.Redis.Addr(), "Database": database, "RabbitMQ": b.stage.RabbitMQ.URL(),
		"TokenKey": b.key.ID, "TokenSecret": b.key.Secret, "Item": anyItem, "Units": units,
	})
	if err != nil {
		return err
	}
	return b.peak(ctx, sideNaive, addr, b.programs[naiveFolder], "--settings", file)
}

// peak runs a program alone and sends it all that it takes.
func (b *bench) peak(ctx context.Context, name, addr string, args ...string) error {
	side, err := b.stage.Start(name, args...)
	if err != nil {
		return err
	}
	defer side.End(ctx)
	if err := side.AwaitOK(ctx, "http://"+addr+"/livez"); err != nil {
		return err
	}
	p := newPurchase(b.shoppers, anyItem, false)
	p.again = name == sideGin
	_, err = b.closed(ctx, name, addr, p, http.StatusAccepted)
	return err
}

// accept fills the queue while no worker runs, then starts one and times the drain.
func (b *bench) accept(ctx context.Context, p *stage.Product) error {
	sale, err := p.Sell(ctx, 1, units)
	if err != nil {
		return err
	}
	var result load.Result
	err = b.profiled(ctx, sideAccept, p, stage.API, func() (err error) {
		result, err = b.closed(ctx, sideAccept, p.Addr(), newPurchase(b.shoppers, sale.Item(), false), http.StatusAccepted)
		return err
	})
	if err != nil {
		return err
	}
	drained, err := b.drain(ctx, p, sideSettle, sale, result.Answers(http.StatusAccepted))
	if err != nil {
		return err
	}
	b.report.Add(sideSettle, "orders/s", drained.PerSecond())
	return b.finish(ctx, p, sale)
}

// drain starts a worker and returns when it has made all orders.
func (b *bench) drain(ctx context.Context, p *stage.Product, side string, sale stage.Sale, orders int64) (drained stage.Drained, err error) {
	begun, err := stage.Spent()
	if err != nil {
		return drained, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var watching sync.WaitGroup
	watching.Go(func() { drained, err = p.AwaitOrders(ctx, sale, orders) })
	failure := p.Start(ctx, stage.Worker)
	if failure != nil {
		cancel()
	}
	watching.Wait()
	if err = errors.Join(failure, err); err != nil {
		return drained, err
	}
	return drained, b.spend(side, begun, drained.Orders)
}

// finish holds the books of a sale against each other and ends it.
func (*bench) finish(ctx context.Context, p *stage.Product, sale stage.Sale) error {
	if err := p.Audit(ctx, sale); err != nil {
		return err
	}
	return p.Finish(ctx, sale)
}

// refuse asks for what one shopper has bought.
func (b *bench) refuse(ctx context.Context, p *stage.Product) error {
	sale, err := p.Sell(ctx, 1, 1)
	if err != nil {
		return err
	}
	buyer := load.Plan{Addr: p.Addr(), Connections: 1, Most: 1, Status: http.StatusAccepted, Duration: time.Second}
	if _, err := b.send(ctx, buyer, newPurchase(b.shoppers, sale.Item(), false)); err != nil {
		return err
	}
	late := newPurchase(b.shoppers, sale.Item(), false)
	late.again = true
	err = b.profiled(ctx, sideRefuse, p, stage.API, func() error {
		_, err := b.closed(ctx, sideRefuse, p.Addr(), late, http.StatusConflict)
		return err
	})
	if err != nil {
		return err
	}
	return b.finish(ctx, p, sale)
}

// insert writes the rows of a drained queue without anything around them.
func (b *bench) insert(ctx context.Context) error {
	return b.with(ctx, sideInsert, nil, func(p *stage.Product) error { // for its tables
		file, err := b.stage.WriteSettings(sideInsert, map[string]any{"DSN": p.DSN(), "For": b.settings.rows})
		if err != nil {
			return err
		}
		return b.measureProgram(ctx, sideInsert, "orders/s", b.programs[insertFolder], "--settings", file)
	})
}

// measureProgram runs a program that prints what it did, as {"Count":n,"Seconds":s}.
func (b *bench) measureProgram(ctx context.Context, name, unit string, args ...string) error {
	text, err := b.stage.Run(ctx, name, args...)
	if err != nil {
		return err
	}
	var did struct{ Count, Seconds float64 }
	if err := json.Unmarshal([]byte(text), &did); err != nil || did.Seconds <= 0 {
		return fmt.Errorf("%s prints %q", name, text)
	}
	b.report.Add(name, unit, did.Count/did.Seconds)
	return nil
}

// embedded is everything in one process, with nothing beside it.
func (b *bench) embedded(ctx context.Context) (err error) {
	p, err := b.stage.NewEmbedded(b.programs[productFolder], sideEmbedded, b.key)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close(ctx)) }()
	if err := p.Start(ctx, stage.Up); err != nil {
		return err
	}
	sale, err := p.Sell(ctx, 1, units)
	if err != nil {
		return err
	}
	var result load.Result
	err = b.profiled(ctx, sideEmbedded, p, stage.Up, func() (err error) {
		result, err = b.closed(ctx, sideEmbedded, p.Addr(), newPurchase(b.shoppers, sale.Item(), false), http.StatusAccepted)
		return err
	})
	if err != nil {
		return err
	}
	if _, err := p.AwaitOrders(ctx, sale, result.Answers(http.StatusAccepted)); err != nil {
		return err
	}
	p.End(ctx, stage.Up)
	return p.Audit(ctx, sale)
}
