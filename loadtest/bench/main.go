package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/seckill-dev/seckill/loadtest/bench/report"
)

const resultsFolder = "loadtest/results"

func main() {
	// Also when the terminal is closed, or whoever reads the output has had enough: nothing is to be left behind.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is main without its surroundings.
func run(ctx context.Context, args []string, out, errs io.Writer) int {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(errs)
	quick := flags.Bool("quick", false, "fewer and shorter rounds")
	scale := flags.Bool("scale", false, "measure how costs grow instead, to the limits: under 15 minutes, and some disk")
	only := flags.String("only", "", "measure only these figures, by name, separated by commas")
	profile := flags.Bool("profile", false, "also take profiles of api and worker, which cost some speed")
	keep := flags.Bool("keep", false, "leave logs and data of all processes where they are")
	results := flags.String("results", resultsFolder, "where bench.json and bench.html go")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	if flags.NArg() > 0 {
		fmt.Fprintf(errs, "bench: %q is no flag, and there are no other arguments\n", flags.Arg(0))
		return 2
	}
	options := options{quick: *quick, keep: *keep, profile: *profile, scale: *scale, results: *results}
	table, err := choose(options.table(), *only)
	if err == nil {
		err = measure(ctx, options, table, out)
	}
	if err != nil {
		fmt.Fprintln(errs, "bench:", err)
		return 1
	}
	return 0
}

// options are what the command line says, besides the figures.
type options struct {
	quick, keep, profile, scale bool
	results                     string
}

// table is all the figures of such a run.
func (o options) table() []report.Figure {
	if o.scale {
		return report.Scale()
	}
	return report.Table()
}

func (o options) settings() settings {
	switch {
	case o.scale && o.quick:
		return glance()
	case o.scale:
		return wide()
	case o.quick:
		return short()
	default:
		return full()
	}
}

// choose is the figures to measure.
func choose(table []report.Figure, only string) ([]report.Figure, error) {
	if only == "" {
		return table, nil
	}
	var chosen []report.Figure
	for name := range strings.SplitSeq(only, ",") {
		figure, found := report.Find(table, strings.TrimSpace(name))
		if !found {
			return nil, fmt.Errorf("--only: there is no figure %q", name)
		}
		chosen = append(chosen, figure)
	}
	return chosen, nil
}

// measure runs what the figures need and writes the report, also of what there is when something fails. When nothing can be
// measured, an earlier report stays.
func measure(ctx context.Context, options options, table []report.Figure, out io.Writer) error {
	b := &bench{options: options, settings: options.settings(), out: out, report: report.New(table, options.quick, time.Now())}
	if err := b.prepare(ctx); err != nil {
		b.close()
		return err
	}
	failure := b.run(ctx)
	b.close()
	b.report.End(time.Now(), failure)
	return errors.Join(failure, b.report.Write(options.results), b.report.Print(out))
}
