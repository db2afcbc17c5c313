package testenv

import (
	"context"
	"testing"
)

// lifecycle is what can happen to any server.
type lifecycle interface {
	Addr() string
	Kill()
	Stop() error
	Continue() error
	Restart(ctx context.Context) error
	RestartEmpty(ctx context.Context) error
	Close()
}

// life gives a test power over a server; what the server does not do fails the test.
type life struct{ server lifecycle }

// Addr is where the server listens. It stays the same over restarts.
func (l life) Addr() string { return l.server.Addr() }

// Kill ends the server as kill -9 does. What it had answered or confirmed is in its folder.
func (l life) Kill(t testing.TB) {
	t.Helper()
	l.server.Kill()
}

// Stop freezes the server (SIGSTOP): connections stay open and nothing answers, as behind a cut network.
func (l life) Stop(t testing.TB) {
	t.Helper()
	must(t, l.server.Stop())
}

// Continue ends a Stop; what clients sent meanwhile is carried out now.
func (l life) Continue(t testing.TB) {
	t.Helper()
	must(t, l.server.Continue())
}

// Restart kills the server, if it still runs, and starts it on the same port with the data it had.
func (l life) Restart(t testing.TB) {
	t.Helper()
	must(t, l.server.Restart(lasting(t)))
}

// RestartEmpty is Restart with nothing left, not even queues or databases: a lost disk, or a machine replaced.
func (l life) RestartEmpty(t testing.TB) {
	t.Helper()
	must(t, l.server.RestartEmpty(lasting(t)))
}

// lasting is the test's context without its end: a test that cleans up still has power over its servers.
func lasting(t testing.TB) context.Context {
	t.Helper()
	return context.WithoutCancel(t.Context())
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// started hands a server to a test, with which it ends.
func started[S lifecycle](t testing.TB, server S, err error) S {
	t.Helper()
	must(t, err)
	t.Cleanup(server.Close)
	return server
}
