// Command seckill runs a flash sale and the tools around it; each file of this package is one subcommand.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/seckill-dev/seckill/internal/app"
)

// version is set when a release is built.
var version = "development"

// commands are what the binary can do.
type commands struct {
	Config string `short:"c" type:"path" placeholder:"FILE" env:"SECKILL_CONFIG" help:"Settings as YAML (see seckill.example.yaml)."`
	Data   string `type:"path" placeholder:"DIR" help:"Data folder, instead of the configured one."`

	Up       upCommand      `cmd:"" help:"Run everything in one process: api, workers and keepers on embedded stores."`
	Dev      devCommand     `cmd:"" help:"Run servers, apis, workers and keepers on this machine, and kill them if you like."`
	API      apiCommand     `cmd:"" name:"api" help:"Answer shoppers and operators, on shared servers."`
	Worker   workerCommand  `cmd:"" help:"Turn queued reservations into orders, on shared servers."`
	Keeper   keeperCommand  `cmd:"" help:"Do the background jobs, on shared servers."`
	Migrate  migrateCommand `cmd:"" help:"Make or show the schema of the shards."`
	Drill    drillCommand   `cmd:"" help:"Break a system of its own in every way, and check that every promise was kept."`
	Crowd    crowdCommand   `cmd:"" help:"Play shoppers against a running system and check every answer."`
	Audit    auditCommand   `cmd:"" help:"Prove that every number adds up; exits 1 when one does not."`
	Admin    adminCommand   `cmd:"" help:"Operate a running system: sales, stock, orders, dead letters, the log."`
	Archive  archiveCommand `cmd:"" help:"Put a finished sale away: a last audit, a summary, an export."`
	Token    tokenCommand   `cmd:"" help:"Mint shoppers' tokens."`
	Sandbox  sandboxCommand `cmd:"" help:"Run a payment provider without money, to try payments with."`
	Settings configCommand  `cmd:"" name:"config" help:"Show the settings in force."`
	Version  versionCommand `cmd:"" help:"Print the version."`
}

// console is where commands speak.
type console struct {
	out io.Writer
	err io.Writer
	// log is where processes that run for long keep their log; it ends up in err.
	log *app.LogBuffer
}

// errFindings makes the exit code 1 after a command has said what is wrong by itself.
var errFindings = errors.New("findings")

// gcPercent collects garbage less often than Go does by itself: what lives is small and what a crowd leaves behind is not,
// and memory is cheaper here than the processor. GOGC says otherwise, and GOMEMLIMIT what must not be exceeded.
const gcPercent = 400

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	log := app.NewLogBuffer(os.Stderr)
	code := run(os.Args[1:], console{os.Stdout, os.Stderr, log})
	log.Close()
	os.Exit(code)
}

func run(args []string, console console) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// Whoever asks a second time does not want to wait: that signal ends the process as if nobody listened.
	context.AfterFunc(ctx, stop)
	var cli commands
	exited := -1
	parser, err := kong.New(&cli, kong.Name("seckill"),
		kong.Description("A flash-sale backend that sells exactly what there is."),
		kong.Writers(console.out, console.err), kong.Exit(func(code int) { exited = code }))
	if err != nil {
		return console.fail(err)
	}
	command, err := parser.Parse(args)
	if exited >= 0 {
		return exited
	}
	if err != nil {
		return console.fail(misunderstood(err))
	}
	command.BindTo(ctx, (*context.Context)(nil))
	if err := command.Run(&cli, console); err != nil {
		return console.fail(err)
	}
	return 0
}

func (c console) fail(err error) int {
	c.log.Flush()
	if !errors.Is(err, errFindings) {
		_, _ = fmt.Fprintf(c.err, "seckill: %v\n", err)
	}
	if mayPass(err) {
		return exitAgain
	}
	return 1
}

// mayPass says that repeating what failed may help.
func mayPass(err error) bool {
	var passing interface{ Passing() bool }
	return errors.As(err, &passing) && passing.Passing()
}

// exitAgain says that repeating the command may help; sysexits.h calls it EX_TEMPFAIL.
const exitAgain = 75

// load reads the settings; flags of the command override them.
func (c *commands) load(flags map[string]any) (app.Config, error) {
	if c.Data != "" {
		flags["data"] = c.Data
	}
	return app.Load(app.LoadOptions{File: c.Config, Env: os.Environ(), Flags: flags})
}
