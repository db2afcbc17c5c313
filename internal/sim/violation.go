package sim

import (
	"fmt"
	"strings"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Violation is a promise that was broken.
type Violation struct {
	Rule   string
	Detail string
	item   seckill.ID
	names  []string
}

// Error implements error.
func (v *Violation) Error() string { return v.Rule + ": " + v.Detail }

// broken stops the schedule: the first promise that is broken is the one to look at. what names the item and whatever else
// the trace is to be about.
func (w *world) broken(rule string, item seckill.ID, what []any, format string, args ...any) {
	if w.violation != nil || w.audited && rule != ruleHalted {
		return
	}
	v := &Violation{Rule: rule, Detail: fmt.Sprintf(format, args...), item: item}
	for _, name := range what {
		v.names = append(v.names, fmt.Sprint(name))
	}
	w.violation = v
	w.loop.trace.say("BROKEN %s: %s", rule, v.Detail)
}

// Halts says that a live audit has closed the gate of an item.
func (v *Violation) Halts() bool {
	return v.Rule == ruleHalted && strings.HasPrefix(v.Detail, "audit: ")
}

// Report is a schedule that failed as somebody reads it.
func (r Result) Report() string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d: %s\n", r.Seed, r.Violation)
	fmt.Fprintf(&b, "world: %s\nfaults: %s\n", r.World, strings.Join(r.Faults, ", "))
	for _, l := range r.Trace {
		fmt.Fprintln(&b, l)
	}
	fmt.Fprintf(&b, "again: go test ./internal/sim -run TestSeed -seed %d\n", r.Seed)
	return b.String()
}
