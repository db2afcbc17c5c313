package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/seckill-dev/seckill/api"
	"github.com/seckill-dev/seckill/internal/app"
	"github.com/seckill-dev/seckill/internal/testenv/fleet"
)

// devCommand runs the distributed system on one machine, on real servers that it starts itself.
type devCommand struct {
	APIs        int           `name:"api" default:"2" placeholder:"N" help:"How many apis; the first serves at --listen, the others on free ports."`
	Workers     int           `name:"worker" default:"2" placeholder:"N" help:"How many workers."`
	Keepers     int           `name:"keeper" default:"2" placeholder:"N" help:"How many keepers."`
	Shards      int           `default:"2" placeholder:"N" help:"How many MariaDB servers. A data folder keeps its number."`
	Units       int64         `default:"1000" help:"How many units the demo sale has. With --kill more of them make it last."`
	PayWithin   time.Duration `default:"15m" help:"How long its orders wait for payment, in whole seconds."`
	Listen      string        `placeholder:"ADDR" help:"Where the first api serves shoppers; otherwise a free port of this machine."`
	AdminListen string        `placeholder:"ADDR" help:"Where the first api serves operators; otherwise a free port of this machine."`
	Kill        bool          `help:"Kill -9 one process or server after another, at random. Databases are left alone."`
	KillEvery   time.Duration `default:"5s" help:"How often."`
	KillOnly    []string      `placeholder:"KIND" help:"What may die: api, worker, keeper, sandbox, redis, rabbitmq; otherwise all of them."`
	KillEach    bool          `help:"Kill one of each kind every time, instead of one at random."`
}

const (
	devReadyWait = time.Minute
	// devStopWait bounds an orderly end; what is not done by then is killed, as it may be at any time.
	devStopWait = 20 * time.Second
	devCountMax = 16
)

// Run implements the command.
func (c *devCommand) Run(ctx context.Context, cli *commands, console console) error {
	if err := c.check(cli); err != nil {
		return err
	}
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	_, _ = fmt.Fprintln(console.out, "starting Redis, RabbitMQ and MariaDB ...")
	f, err := fleet.Open(ctx, fleet.Config{
		Dir: cli.Data, APIs: c.APIs, Workers: c.Workers, Keepers: c.Keepers, Shards: c.Shards,
		Listen: c.Listen, AdminListen: c.AdminListen,
		Sandbox: true, Command: func(node fleet.Node) fleet.Command { return fleet.Command{Args: roleArguments(program, node)} },
		Notice: console.notice,
	})
	if err != nil {
		return err
	}
	defer func() {
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), devStopWait)
		defer cancel()
		f.Shutdown(bounded)
	}()
	err = c.serve(ctx, f, console)
	if ctx.Err() != nil {
		_, _ = fmt.Fprintln(console.out, "\nending everything in order ...")
		return nil // somebody has seen enough
	}
	return err
}

func (c *devCommand) check(cli *commands) error {
	if cli.Config != "" {
		return errors.New("--config: dev writes a configuration of its own; leave it out")
	}
	for name, count := range map[string]int{"api": c.APIs, "worker": c.Workers, "keeper": c.Keepers, "shards": c.Shards} {
		if count < 1 || count > devCountMax {
			return fmt.Errorf("--%s: is a number from 1 to %d, got %d", name, devCountMax, count)
		}
	}
	if c.PayWithin < time.Second || c.PayWithin%time.Second != 0 {
		return fmt.Errorf("--pay-within: is whole seconds, got %s", c.PayWithin)
	}
	if err := c.checkKill(); err != nil {
		return err
	}
	if programs, packages := fleet.Missing(); len(programs) > 0 {
		return fmt.Errorf("dev needs %s, which is not installed here; on Debian and its relatives: apt-get install %s",
			strings.Join(programs, " and "), strings.Join(packages, " "))
	}
	return nil
}

// roleArguments run this program again, as one role. There is no password among them.
func roleArguments(program string, node fleet.Node) []string {
	if node.Role == fleet.Sandbox {
		return sandboxArguments(program, node)
	}
	arguments := []string{program, "--config", node.Config, node.Role, "--admin-listen", node.Admin}
	if node.Role == fleet.API {
		arguments = append(arguments, "--listen", node.Listen)
	}
	return arguments
}

// sandboxArguments run it as the payment provider of the others.
func sandboxArguments(program string, node fleet.Node) []string {
	arguments := []string{
		program, "sandbox", "--listen", node.Listen,
		"--key-file", node.File(fleet.SandboxKey), "--secret-file", node.File(fleet.SandboxSecret),
		"--ledger", node.File(fleet.SandboxLedger),
	}
	for _, shop := range node.Shops {
		arguments = append(arguments, "--webhook", "http://"+shop+"/v1/payments/webhooks/sandbox")
	}
	return arguments
}

// serve starts the roles on the running servers, with a sale to play with, and waits for the end of ctx.
func (c *devCommand) serve(ctx context.Context, f *fleet.Fleet, console console) error {
	config, err := devConfig(f)
	if err != nil {
		return err
	}
	log := config.Logger(console.err)
	if err := app.Migrate(ctx, config, log); err != nil {
		return err
	}
	f.KeepServers(ctx)
	f.Launch()
	ready, cancel := context.WithTimeout(ctx, devReadyWait)
	defer cancel()
	if err := f.AwaitReady(ready); err != nil {
		return err
	}
	demo, err := openDevDemo(ready, f, config, c.demo())
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	demo.sayKept(console.out, c.Units)
	if err := demo.introduce(console.out, f, config); err != nil {
		return err
	}
	var beside sync.WaitGroup
	beside.Go(func() { demo.progress(ctx, console.out) })
	if c.Kill {
		k := c.killer(f, console)
		_, _ = fmt.Fprintf(console.out, "\n%s\n", k.plan())
		k.run(ctx)
	}
	<-ctx.Done()
	beside.Wait()
	return nil
}

// demo is the sale to play with.
func (c *devCommand) demo() api.NewSale {
	sale := app.NewDemo(time.Now().UTC(), c.Units)
	sale.PayWithinSeconds = int(c.PayWithin / time.Second)
	return sale
}

// devConfig is what the fleet's configuration means to tools: the first api's addresses are the system's.
func devConfig(f *fleet.Fleet) (app.Config, error) {
	first := f.Nodes[fleet.API][0]
	return app.Load(app.LoadOptions{File: f.File(), Env: os.Environ(), Flags: map[string]any{
		"listen": first.Listen, "admin_listen": first.Admin, "log.level": "warn",
	}})
}

// notice says what happened to a member of the fleet.
func (c console) notice(name, what string) {
	_, _ = fmt.Fprintf(c.err, "%s  %s %s\n", time.Now().Format(time.TimeOnly), name, what)
}
