package redis_test

import "testing"

// Trap 8: a server that was not there when the gate was made must not have it.
func TestGateIsNotInTheAppendOnlyFile(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	gate := n.sell(t)
	n.Restart(t)
	if n.hasGate(t) {
		t.Error("the gate came back")
	}
	n.refuses(t, gate)
}

func TestGateIsCopiedInVainByARewrittenAppendOnlyFile(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	gate := n.sell(t)
	fatal(t, n.raw.BgRewriteAOF(t.Context()).Err())
	n.await(t, "persistence", "aof_rewrite_in_progress:0")
	n.Restart(t)
	if !n.hasGate(t) {
		t.Error("the gate was not copied: this test shows nothing")
	}
	n.refuses(t, gate)
}

func TestGateDoesNotReachAReplica(t *testing.T) {
	t.Parallel()
	a, b := startNode(t), startNode(t)
	b.follow(t, a)
	gate := a.sell(t)
	a.synced(t)
	if b.hasGate(t) {
		t.Error("the gate was replicated")
	}
	b.promote(t)
	b.refuses(t, gate)
}

func TestGateIsCopiedInVainByAFullSync(t *testing.T) {
	t.Parallel()
	a, b := startNode(t), startNode(t)
	gate := a.sell(t)
	b.follow(t, a)
	if !b.hasGate(t) {
		t.Error("the gate was not copied: this test shows nothing")
	}
	b.promote(t)
	b.refuses(t, gate)
}

// Trap 27: A -> B -> A brings the run id back, with what B made of the data.
func TestGateEndsWhenItsServerComesBack(t *testing.T) {
	t.Parallel()
	a, b := startNode(t), startNode(t)
	gate := a.sell(t)
	b.follow(t, a)
	b.promote(t)
	a.follow(t, b)
	a.promote(t)
	if s := a.state(t); s.GateRunID != s.Server.RunID || s.GateReplicationID == s.Server.ReplicationID {
		t.Errorf("state %+v: this test shows nothing", s)
	}
	a.refuses(t, gate)
}

// Redis begins a new replication history with its first replica: one more rebuild than needed, never one too few.
func TestGateEndsWithTheFirstReplicaOnly(t *testing.T) {
	t.Parallel()
	a, b, c := startNode(t), startNode(t), startNode(t)
	gate := a.sell(t)
	b.follow(t, a)
	a.refuses(t, gate)

	load := loadOf(a.state(t).Server)
	load.Epoch++
	gate.Epoch, gate.Server = load.Epoch, a.state(t).Server
	fatal(t, a.lent.Load(t.Context(), load))
	fatal(t, a.lent.Open(t.Context(), gate))
	c.follow(t, a)
	fatal(t, a.reserve(t.Context(), 200))
}
