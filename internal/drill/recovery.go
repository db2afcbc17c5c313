package drill

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// recovery is what was measured of all faults with one bar, or of one kind of fault.
type recovery struct {
	name          string
	bar           *bar // nil: none is promised
	count         int
	median, worst time.Duration
	kinds         []recovery
}

// judgedLeast is how many faults it takes to judge their median.
const judgedLeast = 5

// isMissed says that the bar does not hold.
func (r recovery) isMissed() bool {
	return r.bar != nil && r.count >= judgedLeast && r.median > r.bar.most
}

// verdict says it in a word.
func (r recovery) verdict() string {
	switch {
	case r.isMissed():
		return "MISSED"
	case r.bar == nil:
		return ""
	case r.count < judgedLeast:
		return "too few to judge"
	default:
		return "kept"
	}
}

// against is what counts against a bar.
func (t turn) against(b *bar) time.Duration {
	switch {
	case !t.isWhole():
		return overWithin
	case b != nil && b.orders:
		return max(t.sells, t.orders)
	default:
		return t.sells
	}
}

// kind is what a fault is one of: kill api, wipe redis.
func (t turn) kind() string {
	return strings.TrimSpace(t.act.fault.name + " " + kindOf(t.act.victim))
}

// counts says that the turn measures something: one fault that had an effect.
func (t turn) counts() bool { return t.act.with == nil && t.over && !t.isIdle() }

// recoveries are those of each bar, and at last of all faults without any, each with its kinds.
func recoveries(turns []turn) (all []recovery) {
	byBar := make(map[string][]turn)
	for _, t := range turns {
		if t.counts() {
			byBar[t.act.fault.bar.said()] = append(byBar[t.act.fault.bar.said()], t)
		}
	}
	process, stock, broker, shard := bars()
	for _, b := range []*bar{process, stock, broker, shard, nil} {
		if some := byBar[b.said()]; len(some) > 0 {
			r := measured(b, some)
			r.name, r.kinds = b.said(), kindsOf(b, some)
			all = append(all, r)
		}
	}
	return all
}

// said is the name of a bar, or of none.
func (b *bar) said() string {
	if b == nil {
		return "other faults"
	}
	return b.name
}

func kindsOf(b *bar, turns []turn) (kinds []recovery) {
	byKind := make(map[string][]turn)
	for _, t := range turns {
		byKind[t.kind()] = append(byKind[t.kind()], t)
	}
	for kind, some := range byKind {
		r := measured(b, some)
		r.name, r.bar = kind, nil
		kinds = append(kinds, r)
	}
	slices.SortFunc(kinds, func(a, b recovery) int { return strings.Compare(a.name, b.name) })
	return kinds
}

func measured(b *bar, turns []turn) recovery {
	took := make([]time.Duration, len(turns))
	for i, t := range turns {
		took[i] = t.against(b)
	}
	slices.Sort(took)
	median := (took[(len(took)-1)/2] + took[len(took)/2]) / 2
	return recovery{bar: b, count: len(took), median: median, worst: took[len(took)-1]}
}

// most is the bar, in words.
func (r recovery) most() string {
	if r.bar == nil {
		return ""
	}
	return shortly(r.bar.most)
}

// recoveryLine says in one line whether the bars hold.
func recoveryLine(all []recovery) string {
	var missed, kept []string
	for _, r := range all {
		text := fmt.Sprintf("%s: %s of %s", r.name, shortly(r.median), r.most())
		switch {
		case r.isMissed():
			missed = append(missed, text)
		case r.bar != nil && r.count >= judgedLeast:
			kept = append(kept, text)
		}
	}
	switch {
	case len(missed) > 0:
		return "Recovery was TOO SLOW: " + strings.Join(missed, "; ") + "."
	case len(kept) > 0:
		return "Recovery was as fast as promised: " + strings.Join(kept, "; ") + "."
	default:
		return fmt.Sprintf("Recovery times are not judged: that takes %d faults with one bar.", judgedLeast)
	}
}
