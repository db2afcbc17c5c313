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
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is main without its surroundings.
func run(ctx context.Context, args []string, out, errs io.Writer) int {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(errs)
	quick := flags.Bool("quick", false, "fewer and shorter rounds")
	only := flags.String("only", "", "measure only these figures, by name, separated by commas")
	profile := flags.Bool("profile", false, "also take profiles of api and worker, which cost some speed")
	keep := flags.Bool("keep", false, "leave logs and data of all processes where they are")
	results := flags.String("results", resultsFolder, "where bench.json and bench.html go")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	table, err := choose(*only)
	if err == nil {
		err = measure(ctx, options{*quick, *keep, *profile, *results}, table, out)
	}
	if err != nil {
		fmt.Fprintln(errs, "bench:", err)
		return 1
	}
	return 0
}

// options are what the command line says, besides the figures.
type options struct {
	quick, keep, profile bool
	results              string
}

// choose is the figures to measure.
func choose(only string) ([]report.Figure, error) {
	table := report.Table()
	if only == "" {
		return table, nil
	}
	var chosen []report.Figure
	for name := range strings.SplitSeq(only, ",") {
		figure, found := report.Find(table, name)
		if !found {
			return nil, fmt.Errorf("--only: there is no figure %q", name)
		}
		chosen = append(chosen, figure)
	}
	return chosen, nil
}

// measure runs what the figures need and writes the report, also of what there is when something fails.
func measure(ctx context.Context, options options, table []report.Figure, out io.Writer) error {
	settings := full()
	if options.quick {
		settings = short()
	}
	b := &bench{options: options, settings: settings, out: out, report: report.New(table, options.quick, time.Now())}
	failure := b.run(ctx)
	b.close()
	b.report.End(time.Now(), failure)
	return errors.Join(failure, b.report.Write(options.results), b.report.Print(out))
}
