package sqlstore_test

import (
	"errors"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/contract"
	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sqlstore"
)

func TestMySQLLosesACommitOfEvents(t *testing.T) {
	t.Parallel()
	for _, a := range accidents() {
		t.Run(a.name+": all is told once it is repeated, and nothing is left", func(t *testing.T) {
			t.Parallel()
			tellsAllAfter(t, a)
		})
	}
}

// tellsAllAfter has the same accident happen to every step.
func tellsAllAfter(t *testing.T, a *accident) {
	t.Helper()
	c, w := wired(t)
	c.Shards[0].MySQL.ReadTimeout = time.Second // for the answer that never comes
	store := leased(t, c)
	f := eventsFixture(store)
	events := []seckill.Event{{ID: 1, Type: "x", Subject: 10, Version: 1, Data: []byte("{}")}, {ID: 2, Type: "x", Subject: 20, Version: 1, Data: []byte("{}")}}
	f.Tell(t, 0, events...)
	endpoints := []string{"shop"}
	lost := func(isRepeatable bool, err error) {
		t.Helper()
		if !sqlstore.IsUnknownCommit(err) || errors.Is(err, seckill.ErrTransient) != isRepeatable {
			t.Fatalf("got %v", err)
		}
	}
	w.next.Store(a)
	_, err := f.Events.Spread(t.Context(), 0, endpoints, 10)
	lost(true, err)
	if _, err := f.Events.Spread(t.Context(), 0, endpoints, 10); err != nil {
		t.Fatal(err)
	}
	w.next.Store(a)
	_, err = f.Events.Due(t.Context(), 0, "shop", 10)
	lost(false, err) // who leases what he does not know of leaves it to its lease
	f.Elapse(t, 0, seckill.DispatchLease)
	due, err := f.Events.Due(t.Context(), 0, "shop", 10)
	if err != nil || len(due) != len(events) {
		t.Fatalf("got %+v, %v", due, err)
	}
	w.next.Store(a)
	lost(true, f.Events.Told(t.Context(), 0, "shop", []seckill.ID{1, 2}))
	if err := f.Events.Told(t.Context(), 0, "shop", []seckill.ID{1, 2}); err != nil {
		t.Fatal(err)
	}
	wantNothingLeft(t, f)
}

func wantNothingLeft(t *testing.T, f contract.EventsFixture) {
	t.Helper()
	if events, dispatches := f.Left(t, 0); events != 0 || dispatches != 0 {
		t.Fatalf("%d events and %d dispatches are left", events, dispatches)
	}
}
