package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
	"unicode"

	"github.com/seckill-dev/seckill/internal/app"
	"github.com/seckill-dev/seckill/internal/audit"
	"github.com/seckill-dev/seckill/internal/drill"
	"github.com/seckill-dev/seckill/internal/testenv/fleet"
)

// drillCommand breaks a system of its own and checks every promise.
type drillCommand struct {
	Minutes  float64  `default:"10" help:"For how long faults are played; then it waits until everything is decided, two minutes or so."`
	Seeds    int      `default:"1" placeholder:"N" help:"How many drills, one after the other, each with the next seed. They are summed up."`
	Seed     uint64   `placeholder:"N" help:"Which faults come when; the same number is the same schedule. Otherwise any."`
	Faults   []string `sep:"none" placeholder:"NAME,…" help:"Only these faults, such as fill-disk,stop:rabbitmq,kill:api-0; an unknown one lists them all."`
	Embedded bool     `help:"Play the single binary instead of the distributed system."`
	Pairs    bool     `help:"Play two faults at a time. Then reservations may be rejected."`
	Rate     float64  `placeholder:"N" help:"How many shoppers come each second; otherwise as many as two cores can serve."`
	Out      string   `type:"path" default:"seckill-drill" placeholder:"DIR" help:"Where the ledger and the report of each drill are put, in a folder of its own."`
	Keep     bool     `help:"Keep the data and the logs, too. After a broken promise they are kept anyway."`
}

// seedsMax is a number of drills that takes days.
const seedsMax = 1000

// Run implements the command.
func (c *drillCommand) Run(ctx context.Context, cli *commands, console console) error {
	if err := c.split(); err != nil {
		return err
	}
	if err := c.check(cli); err != nil {
		return err
	}
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	now := time.Now()
	if c.Seed == 0 {
		c.Seed = uint64(now.UnixMilli() % 1_000_000)
	}
	folder := filepath.Join(c.Out, fmt.Sprintf("%s-seed-%d", now.Format("20060102-150405"), c.Seed))
	if c.Seeds > 1 {
		folder = fmt.Sprintf("%s-to-%d", folder, c.Seed+uint64(c.Seeds)-1)
	}
	if err := os.MkdirAll(folder, 0o700); err != nil { // now, because nobody wants to hear of it when servers run
		return fmt.Errorf("--out: %w; name a folder that can be made and written to", err)
	}
	config := drill.Config{
		Dir: folder, Lasts: time.Duration(c.Minutes * float64(time.Minute)), Seed: c.Seed, Embedded: c.Embedded, Pairs: c.Pairs,
		Faults: c.Faults, Rate: c.Rate, System: drilled(program), Out: console.out,
	}
	waiting, stop := untilTwice(ctx)
	defer stop()
	if c.Seeds > 1 {
		return c.playAll(ctx, waiting, config, console.out)
	}
	report, err := c.play(ctx, waiting, config)
	if err != nil {
		return err
	}
	return found(report)
}

// playAll plays one drill after the other and sums them up, whatever came of them; an interrupted one is the last.
func (c *drillCommand) playAll(ctx, waiting context.Context, config drill.Config, out io.Writer) error {
	folder := config.Dir
	var reports []drill.Report
	var failure error
	for range c.Seeds {
		config.Dir = filepath.Join(folder, fmt.Sprintf("seed-%d", config.Seed))
		report, err := c.play(ctx, waiting, config)
		if err != nil {
			failure = err
			break
		}
		if reports = append(reports, report); ctx.Err() != nil {
			break
		}
		config.Seed++
	}
	if len(reports) == 0 {
		return failure
	}
	sum := drill.Sum(folder, reports)
	if err := errors.Join(failure, show(sum, out)); err != nil {
		return err
	}
	return found(sum)
}

// untilTwice ends at the second signal: the first one ends ctx, and then main listens no more, so that the second would leave
// no verdict. The third ends the process.
func untilTwice(ctx context.Context) (context.Context, context.CancelFunc) {
	waiting, stop := context.WithCancel(context.WithoutCancel(ctx))
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		defer stop()
		defer signal.Stop(signals)
		for range 2 {
			select {
			case <-signals:
			case <-waiting.Done():
				return
			}
		}
	}()
	return waiting, stop
}

// play plays one drill and says what became of it.
func (c *drillCommand) play(ctx, waiting context.Context, config drill.Config) (drill.Report, error) {
	report, err := drill.Run(ctx, waiting, config)
	if err == nil {
		err = show(report, config.Out)
	}
	if err != nil {
		return report, err
	}
	if report.OK() && !c.Keep {
		return report, os.RemoveAll(report.System())
	}
	_, _ = fmt.Fprintf(config.Out, "data and logs are in %s\n", report.System())
	return report, nil
}

// show prints the verdict and says where the rest is.
func show(report drill.Report, out io.Writer) error {
	page, err := report.Write()
	if err == nil {
		err = report.Print(out)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "the report is %s, every answer is in a file beside it\n", page)
	return err
}

// found is the exit code: broken promises, and those kept too late.
func found(report drill.Report) error {
	if !report.OK() {
		return errFindings
	}
	return nil
}

// split takes the lists of faults apart. Kong would make no list at all of an empty one, which means all faults.
func (c *drillCommand) split() error {
	given := c.Faults
	c.Faults = strings.FieldsFunc(strings.Join(given, ","), func(r rune) bool { return r == ',' || unicode.IsSpace(r) })
	if len(given) > 0 && len(c.Faults) == 0 {
		return errors.New("--faults: names no fault; say some, such as kill:redis,stop:rabbitmq, or leave it out to play all")
	}
	return nil
}

func (c *drillCommand) check(cli *commands) error {
	switch {
	case cli.Config != "":
		return errors.New("--config: drill writes a configuration of its own; leave it out")
	case cli.Data != "":
		return errors.New("--data: drill keeps its data in --out; leave it out")
	case math.IsNaN(c.Minutes) || c.Minutes < drill.LastsLeast.Minutes() || c.Minutes > drill.LastsMax.Minutes():
		return fmt.Errorf("--minutes: is %v to %v, got %v", drill.LastsLeast.Minutes(), drill.LastsMax.Minutes(), c.Minutes)
	case c.Seeds < 1 || c.Seeds > seedsMax:
		return fmt.Errorf("--seeds: is 1 to %d, got %d", seedsMax, c.Seeds)
	}
	if err := drill.CheckRate(c.Rate); err != nil {
		return fmt.Errorf("--rate: %w", err)
	}
	if err := drill.CheckFaults(c.Faults, c.Embedded); err != nil {
		return fmt.Errorf("--faults: %w", err)
	}
	if c.Pairs {
		if err := drill.CheckPairs(c.Faults, c.Embedded); err != nil {
			return fmt.Errorf("--pairs: %w", err)
		}
	}
	if programs, packages := fleet.Missing(); len(programs) > 0 && !c.Embedded {
		return fmt.Errorf("drill needs %s, which is not installed here; on Debian and its relatives: apt-get install %s (or try --embedded)",
			strings.Join(programs, " and "), strings.Join(packages, " "))
	}
	return nil
}

// drilled is what a drill has to be told of this program.
func drilled(program string) drill.System {
	return drill.System{
		Command: func(node fleet.Node) fleet.Command {
			arguments := []string{program, "--config", node.Config, "up"}
			if node.Role != fleet.Up {
				arguments = roleArguments(program, node)
			}
			return fleet.Command{Args: arguments, Env: withoutSettings(os.Environ())}
		},
		Migrate: func(ctx context.Context, file string) error {
			config, err := drillConfig(file)
			if err != nil {
				return err
			}
			return app.Migrate(ctx, config, config.Logger(io.Discard))
		},
		Enter: enterDrilled,
		Open:  openDrilled,
	}
}

// withoutSettings leaves out variables that would change what a drill has configured.
func withoutSettings(environment []string) []string {
	return slices.DeleteFunc(environment, func(variable string) bool { return strings.HasPrefix(variable, "SECKILL_") })
}

// drillConfig reads a configuration that no variable of ours changes.
func drillConfig(file string) (app.Config, error) {
	return app.Load(app.LoadOptions{File: file, Flags: map[string]any{"log.level": "warn"}})
}

// enterDrilled reads the keys of a system that runs, and what its queues are called.
func enterDrilled(file string) (drill.Keys, error) {
	config, err := drillConfig(file)
	if err != nil {
		return drill.Keys{}, err
	}
	minter, err := app.NewMinter(config)
	if err != nil {
		return drill.Keys{}, err
	}
	operator, err := operatorKey(config)
	if err != nil {
		return drill.Keys{}, err
	}
	provider, err := providerKey(config, file)
	if err != nil {
		return drill.Keys{}, err
	}
	keys := drill.Keys{Operator: operator, Provider: provider, Mint: mint(minter)}
	for shard := range config.Shards {
		keys.Queues = append(keys.Queues, fmt.Sprintf("%s.orders.%d", config.RabbitMQ.Prefix, shard))
	}
	return keys, nil
}

// providerKey is what the sandbox asks for: it is beside the configuration, or was made in the data folder.
func providerKey(config app.Config, file string) (string, error) {
	path := config.Payments.Sandbox.KeyFile
	if path == "" {
		path = filepath.Join(config.Data, "keys", fleet.SandboxKey)
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(file), path)
	}
	return app.ReadSecret(path)
}

// openDrilled opens what is stored.
func openDrilled(ctx context.Context, file string) (drill.Stored, error) {
	config, err := drillConfig(file)
	if err != nil {
		return drill.Stored{}, err
	}
	stored, err := app.OpenStored(ctx, config, config.Logger(io.Discard))
	if err != nil {
		return drill.Stored{}, err
	}
	return drill.Stored{
		Books: stored.Books(), Shards: stored.Shards(), Close: stored.Close,
		Audit: func(ctx context.Context) (audit.Report, error) { return stored.Audit(ctx, nil) },
	}, nil
}
