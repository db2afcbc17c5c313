package sim_test

import (
	"flag"
	"os"
	"runtime"
	"runtime/debug"
	"testing"
	"testing/synctest"

	"github.com/seckill-dev/seckill/internal/sim"
)

// flags are what people ask for on the command line.
var flags struct {
	seed      uint64
	from      uint64
	schedules int
	mistake   string
	survives  int
	share     int
	shares    int
	update    bool
	onward    bool
}

// gcPercent collects seldom: a schedule leaves megabytes and keeps nothing.
const gcPercent = 400

func TestMain(m *testing.M) {
	flag.Uint64Var(&flags.seed, "seed", 0, "the schedule that TestSeed runs, and prints")
	flag.Uint64Var(&flags.from, "from", 1, "the first seed of many")
	flag.IntVar(&flags.schedules, "schedules", schedulesDefault, "how many schedules TestSchedules and TestMany run")
	flag.StringVar(&flags.mistake, "mistake", "", "the mistake that is planted; for TestMistakes a part of its name")
	flag.IntVar(&flags.survives, "survives", survivesDefault, "how many schedules a mistake may survive")
	flag.IntVar(&flags.share, "share", 0, "which share of the work this process does")
	flag.IntVar(&flags.shares, "shares", 1, "among how many processes the work is shared")
	flag.BoolVar(&flags.update, "update", false, "write down where mistakes were found")
	flag.BoolVar(&flags.onward, "onward", false, "go on when a promise is broken")
	flag.Parse()
	// One processor runs goroutines in the same order every time, and at less cost. TestMany starts processes instead.
	runtime.GOMAXPROCS(1)
	debug.SetGCPercent(gcPercent)
	os.Exit(m.Run())
}

// run runs a schedule in a bubble of its own.
func run(t *testing.T, seed uint64, options sim.Options) (r sim.Result) {
	t.Helper()
	synctest.Test(t, func(*testing.T) { r = sim.Run(seed, options) })
	return r
}

// report runs a schedule again that went wrong, for somebody to read. One that goes well this time depends on more than
// its seed; then what is known is all there is.
func report(t *testing.T, seed uint64, mistake string) string {
	t.Helper()
	for range 5 {
		if r := run(t, seed, sim.Options{Mistake: mistake, Traced: true}); r.Violation != nil {
			return r.Report()
		}
	}
	return "the schedule goes well when it is run again"
}

func TestSeed(t *testing.T) {
	if flags.seed == 0 {
		t.Skip("go test ./internal/sim -run TestSeed -seed N")
	}
	r := run(t, flags.seed, sim.Options{Traced: true, Mistake: flags.mistake})
	if r.Violation != nil {
		t.Error(r.Report())
	}
}

// TestSame runs schedules twice: what a seed finds once it must find again.
func TestSame(t *testing.T) {
	if raced {
		t.Skip("the race detector shuffles goroutines")
	}
	for seed := uint64(1); seed <= 40; seed++ {
		first, again := run(t, seed, sim.Options{}), run(t, seed, sim.Options{Traced: true})
		if first.Course != again.Course {
			t.Errorf("seed %d: %d steps in %s, then others: %d in %s", seed, first.Steps, first.Lasted, again.Steps, again.Lasted)
		}
	}
}
