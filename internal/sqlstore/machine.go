package sqlstore

import "time"

// machine is what the operating system can prove about processes that share it with this one.
type machine interface {
	// self is this process. Its machine is empty where nothing can be proven.
	self() process
	// ended says that a process does not run any more. In doubt it says no: it runs, is stopped, is on another machine, or
	// nobody lets us look.
	ended(p process) bool
	// uptime is how long the machine has run. All its processes see the same, and nobody can set it.
	uptime() time.Duration
}

// process is one process for ever: when its pid is used again, that is for one that started at another time.
type process struct {
	// machine is the same for processes that know each other by the same pids, and another after the machine was started again.
	machine string
	pid     int
	// started is in ticks since the machine was.
	started int64
}

// nowhere is a machine that proves nothing.
type nowhere struct{}

func (nowhere) self() process         { return process{} }
func (nowhere) ended(process) bool    { return false }
func (nowhere) uptime() time.Duration { return 0 }
