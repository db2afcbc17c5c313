package drill

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/seckill-dev/seckill/internal/audit"
	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/testenv/fleet"
)

// Config says what is played, and on what.
type Config struct {
	// Dir holds servers, logs, ledger and report, and is kept.
	Dir string
	// Lasts is how long faults are played. Seed says which.
	Lasts time.Duration
	Seed  uint64
	// Embedded plays the single binary instead of a fleet, Pairs two faults at a time.
	Embedded bool
	Pairs    bool
	// Faults are those that are played, as CheckFaults knows them; all without any.
	Faults []string
	// Rate is how many shoppers come each second; 0 means RateDefault.
	Rate   float64
	System System
	// Out gets the timeline as it happens, and the verdict.
	Out io.Writer
}

// System is what the drill cannot know by itself.
type System struct {
	// Command is how a node is run.
	Command func(fleet.Node) fleet.Command
	// Migrate makes the schema; the configuration is in the file. The single binary makes its own.
	Migrate func(ctx context.Context, file string) error
	// Enter reads what is needed to speak to a system that runs.
	Enter func(file string) (Keys, error)
	// Open opens what is stored. The single binary is at rest by then.
	Open func(ctx context.Context, file string) (Stored, error)
}

// Keys are what operators and the payment provider are asked with, tokens for shoppers, and the names of the queues that hold
// orders, for the fault that deletes them.
type Keys struct {
	Operator string
	Provider string
	Mint     func(user string) (token string, err error)
	Queues   []string
}

// Stored is what a system has stored.
type Stored struct {
	Books  seckill.Books
	Shards seckill.Shards
	Audit  func(ctx context.Context) (audit.Report, error)
	Close  func() error
}

// RateDefault is what keeps two cores half busy, so that there is room for everything that happens to them.
const RateDefault = 40

// RateMax is more than any machine can be asked for here.
const RateMax = 10_000

// LastsLeast is enough for any first fault, so that a drill proves something: after the opening pause, the longest one lasts
// 14 s.
const LastsLeast = 30 * time.Second

// LastsMax bounds a drill: it remembers every answer.
const LastsMax = 24 * time.Hour

// How the drill behaves where nobody needs another choice.
const (
	readyWithin = 2 * time.Minute
	// healWithin bounds the end of one fault, such as a server's start.
	healWithin = 2 * time.Minute
	// overWithin is how long the system may take to get over one fault. More is a broken promise.
	overWithin = 2 * time.Minute
	// finishWithin bounds what crowds still have to do when no more shoppers come.
	finishWithin = 5 * time.Minute
	// restWithin is how long everything may take to come to rest: a minute for what a lost Redis leaves in doubt, and more.
	restWithin = 3 * time.Minute
	// auditWithin bounds the verdict.
	auditWithin = 10 * time.Minute
)

func (c Config) withDefaults() Config {
	c.Rate = cmp.Or(c.Rate, RateDefault)
	if c.Out == nil {
		c.Out = io.Discard
	}
	return c
}

func (c Config) check() error {
	switch {
	case c.Lasts < LastsLeast || c.Lasts > LastsMax:
		return fmt.Errorf("drill: want %s to %s, not %s", LastsLeast, LastsMax, c.Lasts)
	case c.Dir == "":
		return errors.New("drill: the folder is missing")
	}
	if err := CheckRate(c.Rate); err != nil {
		return fmt.Errorf("drill: the rate %w", err)
	}
	if err := CheckFaults(c.Faults, c.Embedded); err != nil || !c.Pairs {
		return err
	}
	return CheckPairs(c.Faults, c.Embedded)
}

// CheckRate says what is wrong with a number of shoppers each second; nothing is with 0, which stands for RateDefault.
func CheckRate(rate float64) error {
	if math.IsNaN(rate) || rate < 0 || rate > RateMax {
		return fmt.Errorf("is at most %d, and 0 for as many as two cores can serve; got %v", RateMax, rate)
	}
	return nil
}
