package lent

import "time"

// Loss says what is missing of the data that a server begins with.
type Loss struct {
	// Writes is how many of the last calls that wrote something are lost.
	Writes int
	// Gates says that the gates came along, as with a full sync, a snapshot or a rewritten append-only file.
	Gates bool
}

// Wipe empties the primary (FLUSHALL). It stays who it is, and what loses the wipe has the data back.
func (r *Redis) Wipe() {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.primary.data)
	r.primary.write(func(d dataset) { clear(d) })
}

// Failover promotes the other server, which has what the primary had but for the loss. The former primary goes on for
// those who are pinned to it, until the next failover makes it the primary again: as the same process, with the data of
// the one before.
func (r *Redis) Failover(loss Loss) {
	r.mu.Lock()
	defer r.mu.Unlock()
	left := r.primary.left(loss)
	r.primary, r.other = r.other, r.primary
	r.primary.become(left)
	r.primary.replicationID = r.name("replication")
}

// Restart ends the primary's process and starts it anew with what its disk has.
func (r *Redis) Restart(loss Loss) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.restart(r.primary.left(loss))
}

func (r *Redis) restart(d dataset) {
	r.primary.become(d)
	r.primary.runID, r.primary.replicationID = r.name("run"), r.name("replication")
}

func (s *Server) left(loss Loss) dataset {
	d := s.before(loss.Writes)
	if !loss.Gates {
		d.dropGates()
	}
	return d
}

// Dump is the data of a moment, gates included.
type Dump struct{ data dataset }

// Snapshot is the primary's data now.
func (r *Redis) Snapshot() Dump {
	r.mu.Lock()
	defer r.mu.Unlock()
	return Dump{r.primary.data.clone()}
}

// Restore restarts the primary with an old dump.
func (r *Redis) Restore(dump Dump) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.restart(dump.data.clone())
}

// Jump sets the primary's clock ahead, or back.
func (r *Redis) Jump(ahead time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.primary.ahead += ahead
}

// Down has nobody answer, or the servers again.
func (r *Redis) Down(down bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.down = down
}

// Writes is how many calls the log has that could be lost.
func (r *Redis) Writes() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.primary.log)
}
