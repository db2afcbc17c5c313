package sim_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/sim"
)

// tally is what many schedules came to.
type tally struct {
	Schedules int
	Steps     int
	// Lasted is how much time passed in the schedules, Took how much it took.
	Lasted time.Duration
	Took   time.Duration
	// Memory is what the process has of it.
	Memory uint64
	Counts map[string]int
	Broken map[string][]uint64
}

func newTally() tally { return tally{Counts: map[string]int{}, Broken: map[string][]uint64{}} }

func (t *tally) add(r sim.Result) {
	t.Schedules++
	t.Steps += r.Steps
	t.Lasted += r.Lasted
	for what, n := range r.Counts {
		t.Counts[what] += n
	}
	if r.Violation != nil {
		t.Broken[r.Violation.Rule] = append(t.Broken[r.Violation.Rule], r.Seed)
	}
}

func (t *tally) merge(other tally) {
	t.Schedules += other.Schedules
	t.Steps += other.Steps
	t.Lasted += other.Lasted
	t.Memory += other.Memory
	for what, n := range other.Counts {
		t.Counts[what] += n
	}
	for rule, seeds := range other.Broken {
		t.Broken[rule] = append(t.Broken[rule], seeds...)
	}
}

func (t *tally) violations() (count int) {
	for _, seeds := range t.Broken {
		count += len(seeds)
	}
	return count
}

// String is the summary.
func (t *tally) String() string {
	var b strings.Builder
	each := max(t.Schedules, 1)
	fmt.Fprintf(&b, "%d schedules in %s (%.0f/s): %d steps and %s of their own time each, %d violations\n",
		t.Schedules, t.Took.Round(time.Second/10), float64(t.Schedules)/t.Took.Seconds(), t.Steps/each,
		(t.Lasted / time.Duration(each)).Round(time.Second/10), t.violations())
	for _, what := range slices.Sorted(maps.Keys(t.Counts)) {
		fmt.Fprintf(&b, "%10d  %s\n", t.Counts[what], what)
	}
	return b.String() + t.broken()
}

// broken says which rules were broken, a line for each.
func (t *tally) broken() string {
	var b strings.Builder
	for _, rule := range slices.Sorted(maps.Keys(t.Broken)) {
		seeds := t.Broken[rule]
		fmt.Fprintf(&b, "BROKEN %d times: %s, seeds %v\n", len(seeds), rule, seeds[:min(len(seeds), 5)])
	}
	return b.String()
}

// reportsMost is how many of those that went wrong are shown.
const reportsMost = 3

// TestSchedules runs schedules until one goes wrong, and shows it.
func TestSchedules(t *testing.T) {
	sum, began := newTally(), time.Now()
	for n := range flags.schedules {
		if n%flags.shares != flags.share {
			continue
		}
		r := run(t, flags.from+uint64(n), sim.Options{})
		sum.add(r)
		if r.Violation != nil && sum.violations() <= reportsMost {
			t.Error(report(t, r.Seed, ""))
		}
		if r.Violation != nil && !flags.onward {
			break
		}
		if sum.Schedules%shareEvery == 0 {
			share(&sum)
		}
	}
	share(&sum)
	sum.Took = time.Since(began)
	t.Log(sum.String())
	if sum.violations() > 0 {
		t.Fail()
	}
}
