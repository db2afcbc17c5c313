package drill

import (
	"fmt"
	"slices"
	"strings"
)

// Some faults can be asked for instead of all: kill, cut-off, kill:redis, stop:api-0.

// key is what a fault is asked for by: its name without what only makes it a sentence.
func (f fault) key() string {
	return strings.ReplaceAll(strings.ReplaceAll(strings.TrimSuffix(f.name, " of"), " the ", " "), " ", "-")
}

// CheckFaults says which of the faults that are asked for there are not, and which there are.
func CheckFaults(wanted []string, embedded bool) error {
	all := singleFaults()
	if !embedded {
		all = fleetFaults(cast{
			apis: []string{"api-0", "api-1"}, workers: []string{"worker-0", "worker-1"}, keepers: []string{"keeper-0", "keeper-1"},
			tills: []string{"sandbox-0"}, shards: []string{"mariadb-0", "mariadb-1"}, disks: []string{redis, rabbitmq}, hasQueues: true,
		})
	}
	for _, choice := range wanted {
		if len(chosen(all, []string{choice})) == 0 {
			return fmt.Errorf("there is no fault %s; there are %s", choice, strings.Join(keys(all), ", "))
		}
	}
	return nil
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
