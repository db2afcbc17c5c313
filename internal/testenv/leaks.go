package testenv

import (
	"fmt"
	"os"

	"go.uber.org/goleak"
)

// Runner is what runs a package's tests: a *testing.M.
type Runner interface{ Run() int }

// Leakless runs tests, and fails them when they leave goroutines behind. Those that somebody else's code cannot end are named
// in ignored.
func Leakless(m Runner, ignored ...goleak.Option) Runner { return leakless{m, ignored} }

type leakless struct {
	tests   Runner
	ignored []goleak.Option
}

func (l leakless) Run() int {
	if code := l.tests.Run(); code != 0 {
		return code
	}
	if err := goleak.Find(l.ignored...); err != nil {
		fmt.Fprintln(os.Stderr, "goroutines are left:", err)
		return 1
	}
	return 0
}
