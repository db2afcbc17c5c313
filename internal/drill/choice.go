package drill

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Some faults can be asked for instead of all: kill, cut-off, kill:redis, stop:api-0.

// key is what a fault is asked for by: its name without what only makes it a sentence.
func (f fault) key() string {
	return strings.ReplaceAll(strings.ReplaceAll(strings.TrimSuffix(f.name, " of"), " the ", " "), " ", "-")
}

// allFaults are those that there are where everything can be set up.
func allFaults(embedded bool) []fault {
	if embedded {
		return singleFaults()
	}
	return fleetFaults(cast{
		apis: []string{"api-0", "api-1"}, workers: []string{"worker-0", "worker-1"}, keepers: []string{"keeper-0", "keeper-1"},
		tills: []string{"sandbox-0"}, shards: []string{"mariadb-0", "mariadb-1"}, disks: []string{redis, rabbitmq}, hasQueues: true,
	})
}

// CheckFaults says which of the faults that are asked for there are not, and which there are.
func CheckFaults(wanted []string, embedded bool) error {
	all := allFaults(embedded)
	for _, choice := range wanted {
		if len(chosen(all, []string{choice})) == 0 {
			return fmt.Errorf("there is no fault %s; there are %s", choice, strings.Join(keys(all), ", "))
		}
	}
	return nil
}

// CheckPairs says why no two of these faults can be played at a time: without a pair, a drill of pairs proves nothing of them.
func CheckPairs(wanted []string, embedded bool) error {
	some := chosen(allFaults(embedded), wanted)
	switch {
	case slices.ContainsFunc(some, func(f fault) bool { return slices.ContainsFunc(some, f.goesWith) }):
		return nil
	case embedded:
		return errors.New("the single binary has one victim, and a pair needs two; leave it out, or play the distributed system")
	default:
		return errors.New("no two of these faults go together: a pair has two names, two kinds of victims, and one that may lose something " +
			"at most; leave it out, or choose more faults")
	}
}

// keys are what faults can be asked for by, each with the kinds of victims it has.
func keys(faults []fault) (keys []string) {
	for _, f := range faults {
		if len(f.victims) == 0 {
			keys = append(keys, f.key())
		}
		for _, victim := range f.victims {
			keys = append(keys, f.key()+":"+kindOf(victim))
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// chosen are the faults that are wanted, each with those victims only; all without a choice.
func chosen(faults []fault, wanted []string) (some []fault) {
	if len(wanted) == 0 {
		return faults
	}
	for _, f := range faults {
		victims := slices.DeleteFunc(slices.Clone(f.victims), func(victim string) bool { return !f.isWanted(wanted, victim) })
		if len(victims) > 0 || len(f.victims) == 0 && f.isWanted(wanted, "") {
			f.victims = victims
			some = append(some, f)
		}
	}
	return some
}

func (f fault) isWanted(wanted []string, victim string) bool {
	return slices.ContainsFunc(wanted, func(choice string) bool {
		name, of, _ := strings.Cut(choice, ":")
		return name == f.key() && (of == "" || of == victim || of == kindOf(victim))
	})
}
