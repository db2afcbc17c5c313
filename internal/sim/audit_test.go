package sim_test

import (
	"testing"

	"github.com/seckill-dev/seckill/internal/sim"
)

// auditedMost is how many schedules the live audit may need to see a mistake about units.
const auditedMost = 150

// TestAudited leaves mistakes to the live audit alone: those that move units where nobody bought or returned one. That it
// halts nothing that is sound is what every other schedule with an audit shows.
func TestAudited(t *testing.T) {
	if raced {
		t.Skip("the race detector shuffles goroutines")
	}
	for _, mistake := range []string{
		"both: one unit too many and no CHECK", "sql: a known id moves its units again", "sql: a known id is accounted again",
		"sql: a return does not ask whether the claim is held", "redis: redis is incremented for a returned order",
		"redis: a known issue is applied again",
	} {
		if !halts(t, mistake) {
			t.Errorf("the live audit sees nothing in %d schedules: %s", auditedMost, mistake)
		}
	}
}

func halts(t *testing.T, mistake string) bool {
	t.Helper()
	for seed := uint64(1); seed <= auditedMost; seed++ {
		if r := run(t, seed, sim.Options{Mistake: mistake, Audited: true}); r.Violation != nil && r.Violation.Halts() {
			return true
		}
	}
	return false
}
