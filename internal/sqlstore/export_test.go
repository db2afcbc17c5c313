package sqlstore

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"
)

// What the tests look at from inside.
var (
	// DBError, CommitError and RefusedData show how errors are classified.
	DBError     = dbError
	CommitError = commitError
	RefusedData = refusedData
	Repeatable  = repeatable
)

// IsUnknownCommit says that the error is a commit whose answer was lost.
func IsUnknownCommit(err error) bool { return errors.Is(err, errUnknownCommit) }

// MySQLDoubts is what the settings of a server leave to be desired.
func MySQLDoubts(version string, settings map[string]string) []string {
	return mysqlDialect{}.doubts(version, settings)
}

// Machine is a machine that a test makes up. Processes have one start time each.
type Machine struct {
	Name    string
	Running map[int]int64
	Up      time.Duration
}

// on is a machine as one of its processes sees it.
type on struct {
	*Machine
	pid     int
	started int64
}

func (m on) self() process         { return process{machine: m.Name, pid: m.pid, started: m.started} }
func (m on) uptime() time.Duration { return m.Up }

func (m on) ended(p process) bool {
	started, runs := m.Running[p.pid]
	return p.machine == m.Name && (!runs || started != p.started)
}

// HolderText is how a process is named in the row of its node number, ReadHolder what a neighbour reads of it.
func HolderText(machine string, pid int, started, origin int64) string {
	return holder{process{machine, pid, started}, origin}.text()
}

// ReadHolder reads it.
func ReadHolder(text string) (machine string, pid int, started, origin int64, ok bool) {
	h, ok := parseHolder(text)
	return h.machine, h.pid, h.started, h.origin, ok
}

// RunOn makes the store that of a process of a machine, which runs from then on.
func (s *Store) RunOn(m *Machine, pid int, started int64) {
	m.Running[pid] = started
	s.ids.nodes.machine = on{m, pid, started}
}

// Lag makes ids fall behind the clock, as they do when it is set forward.
func (ids *IDs) Lag(d time.Duration) {
	l := *ids.lease.Load()
	l.milli -= d.Milliseconds()
	ids.lease.Store(&l)
}

// InTx runs statements in one write transaction of the first shard.
func (s *Store) InTx(ctx context.Context, do func(tx *gorm.DB) error) error {
	return s.inTx(ctx, 0, do)
}

// Grouped is how many transactions wait for the next commit of a shard that groups them.
func (s *Store) Grouped(shard int) int {
	g := s.shards[shard].group
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.waiting)
}
