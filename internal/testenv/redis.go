package testenv

import (
	"testing"

	"github.com/seckill-dev/seckill/internal/testenv/server"
)

// Redis is a private redis-server: durable (append-only file) and never evicting, as a sale needs it.
type Redis struct {
	life

	server *server.Redis
}

// StartRedis starts a server for this test alone, which may kill, stop and empty it. It ends with the test.
func StartRedis(t testing.TB) *Redis {
	t.Helper()
	opened, err := server.OpenRedis(t.Context(), server.Options{})
	r := started(t, opened, err)
	return &Redis{life{r}, r}
}

// StartReplica starts a copy of a server, and returns when the copy is complete.
func StartReplica(t testing.TB, master *Redis) *Redis {
	t.Helper()
	r := StartRedis(t)
	r.ReplicaOf(t, master.Addr())
	return r
}

// ReplicaOf makes the server a copy of the one at master (host:port), over restarts too: what it had is lost. It returns
// when the copy is complete; from then on it follows at its own pace.
func (r *Redis) ReplicaOf(t testing.TB, master string) {
	t.Helper()
	must(t, r.server.ReplicaOf(lasting(t), master))
}

// Promote makes a replica a master of what it has copied so far, as an operator does by hand. Its replication id changes.
func (r *Redis) Promote(t testing.TB) {
	t.Helper()
	must(t, r.server.Promote(lasting(t)))
}

// Wipe empties the running server, which keeps its run id: data loss without a restart.
func (r *Redis) Wipe(t testing.TB) {
	t.Helper()
	must(t, r.server.Wipe(lasting(t)))
}

// Snapshot keeps a copy of all data, everything that was answered so far included, for RestartFrom.
func (r *Redis) Snapshot(t testing.TB) server.Snapshot {
	t.Helper()
	snapshot, err := r.server.Snapshot()
	must(t, err)
	return snapshot
}

// RestartFrom is Restart with what the server had at an earlier moment: a restored backup.
func (r *Redis) RestartFrom(t testing.TB, snapshot server.Snapshot) {
	t.Helper()
	must(t, r.server.RestartFrom(lasting(t), snapshot))
}
