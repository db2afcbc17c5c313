package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/seckill-dev/seckill/loadtest/bench/load"
	"github.com/seckill-dev/seckill/loadtest/bench/report"
	"github.com/seckill-dev/seckill/loadtest/bench/stage"
)

// The folders of the programs.
const (
	productFolder = "cmd/seckill"
	ginFolder     = "loadtest/bench/gin"
	naiveFolder   = "loadtest/bench/naive"
	insertFolder  = "loadtest/bench/insert"
	reserveFolder = "loadtest/bench/reserve"
)

// prepareWithin is for a machine that has never built the product.
const prepareWithin = 10 * time.Minute

// bench is one run.
type bench struct {
	options

	settings settings
	out      io.Writer
	report   *report.Report

	stage    *stage.Stage
	programs map[string]string // by folder
	key      stage.Key
	shoppers *shoppers
	// pace is the rate at which the last round of sustained began to look, 0 before the first.
	pace float64
}

// step is a part of the run; it is left out when none of its figures is wanted.
type step struct {
	name    string
	figures []string
	run     func(ctx context.Context) error
}

// run goes on after a part has failed: the others are of use, and the run has failed all the same.
func (b *bench) run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, b.settings.within)
	defer cancel()
	defer b.conclude()
	var failures []error
	for _, s := range b.steps() {
		if err := b.do(ctx, s); err != nil {
			b.say("%v", err)
			failures = append(failures, err)
		}
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(failures...)
}

func (b *bench) do(ctx context.Context, s step) error {
	if !b.report.Wants(s.figures...) {
		return nil
	}
	begun := time.Now()
	if err := s.run(ctx); err != nil {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	b.say("%s (%.0f s)", s.name, time.Since(begun).Seconds())
	return nil
}

func (b *bench) say(format string, args ...any) {
	fmt.Fprintf(b.out, "%s  %s\n", time.Now().Format(time.TimeOnly), fmt.Sprintf(format, args...))
}

// prepare starts the servers and makes everything that must not be made while a clock runs.
func (b *bench) prepare(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, prepareWithin)
	defer cancel()
	b.say("starting Redis, RabbitMQ and MariaDB, building the sides")
	if b.stage, err = stage.Open(ctx); err != nil {
		return err
	}
	b.programs = map[string]string{}
	for _, folder := range []string{productFolder, ginFolder, naiveFolder, insertFolder, reserveFolder} {
		if b.programs[folder], err = b.stage.Build(ctx, folder); err != nil {
			return err
		}
	}
	b.key = stage.NewKey()
	name := shopper
	if b.scale {
		name = scattered
	}
	if b.shoppers, err = newShoppers(b.key, b.settings.shoppers, name); err != nil {
		return fmt.Errorf("make tokens: %w", err)
	}
	return b.describe(ctx)
}

func (b *bench) close() {
	if b.stage == nil {
		return
	}
	if b.keep {
		b.say("everything is in %s", b.stage.Dir())
	}
	b.stage.Close(b.keep)
}

// with does something with an empty installation of the product in which these roles run.
func (b *bench) with(ctx context.Context, name string, roles []string, do func(p *stage.Product) error) error {
	p, err := b.stage.NewProduct(ctx, b.programs[productFolder], name, b.key)
	if err != nil {
		return err
	}
	if err = p.Start(ctx, roles...); err == nil {
		err = do(p)
	}
	return errors.Join(err, p.Close(ctx))
}

// closed runs the closed loop and notes it as a round of a side. name "" notes nothing.
func (b *bench) closed(ctx context.Context, name, addr string, p *purchase, status int) (load.Result, error) {
	return b.closedOver(ctx, connections, name, addr, p, status)
}

// closedOver is closed over so many connections.
func (b *bench) closedOver(ctx context.Context, connections int, name, addr string, p *purchase, status int) (load.Result, error) {
	begun, err := stage.Spent()
	if err != nil {
		return load.Result{}, err
	}
	result, err := b.send(ctx, load.Plan{
		Addr: addr, Connections: connections, Status: status, Warm: b.settings.warm, Duration: b.settings.span,
	}, p)
	if err != nil || name == "" {
		return result, err
	}
	b.report.Add(name, "answers/s", result.PerSecond())
	b.report.Follow(seriesOf(name, result))
	return result, b.spend(name, begun, result.Answers(status))
}

// spend notes what every process has used for each answer, or order, since then.
func (b *bench) spend(side string, begun map[string]time.Duration, count int64) error {
	ended, err := stage.Spent()
	if err != nil {
		return err
	}
	for program, used := range ended {
		b.report.Spend(side, program, float64((used-begun[program]).Microseconds())/float64(count))
	}
	return nil
}

// send runs a plan with purchases.
func (*bench) send(ctx context.Context, plan load.Plan, p *purchase) (load.Result, error) {
	plan.Request = p.request
	result, err := load.Run(ctx, plan)
	p.done(result.Taken)
	if err == nil && plan.Most == 0 && !p.again && result.Taken > p.shoppers.count {
		err = fmt.Errorf("%d requests, and only %d shoppers", result.Taken, p.shoppers.count)
	}
	return result, err
}

// profiled measures a side and takes profiles of a role meanwhile, if they are asked for.
func (b *bench) profiled(ctx context.Context, side string, p *stage.Product, role string, do func() error) error {
	if !b.profile {
		return do()
	}
	if err := os.MkdirAll(b.results, 0o750); err != nil {
		return err
	}
	var failure error
	var profiling sync.WaitGroup
	profiling.Go(func() { failure = p.Profile(ctx, role, filepath.Join(b.results, side), b.settings.span) })
	err := do()
	profiling.Wait()
	return errors.Join(err, failure)
}

func seriesOf(side string, result load.Result) report.Series {
	s := report.Series{Side: side, Every: load.Tick.Seconds(), Millis: map[string]float64{}}
	for _, count := range result.Ticks {
		s.Values = append(s.Values, float64(count)/load.Tick.Seconds())
	}
	for name, quantile := range map[string]float64{"p50": 50, "p90": 90, "p99": 99, "p999": 99.9, "max": 100} {
		s.Millis[name] = millis(result.Latency.ValueAtQuantile(quantile))
	}
	return s
}

func millis(micros int64) float64 { return float64(micros) / 1000 }
