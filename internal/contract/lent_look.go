package contract

import (
	"fmt"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

func lentLook() []lentCase {
	return []lentCase{
		{"finds a user's own entries by key and by id", lentFindsEntries},
		{"shows what was given back with quantity 0", lentShowsGivenBack},
		{"works while paused and after the end, and changes nothing", lentLooksWhilePaused},
		{"answers many, and none", lentLooksForMany},
		{"shows all that a user has when asked for neither key nor id", lentShowsAll},
	}
}

func lentFindsEntries(t *testing.T, o lentOpener) {
	t.Helper()
	i := o.open(t)
	keyed, keyless := i.ask("ann", 2, lentSomeKey), i.ask("ann", 1, "")
	made := i.reserve(keyed, keyless)
	got := i.look(
		seckill.LookRequest{User: "ann", KeyHash: keyed.KeyHash},
		seckill.LookRequest{User: "ann", ID: keyless.ID},
		seckill.LookRequest{User: "bob", ID: keyless.ID},
		seckill.LookRequest{User: "bob", KeyHash: keyed.KeyHash},
		seckill.LookRequest{User: "ann", KeyHash: seckill.KeyHash("never used", 1)},
		seckill.LookRequest{User: "ann", ID: i.next()},
	)
	want := []seckill.LookAnswer{{Found: true, Entry: lentEntryOf(keyed, made)}, {Found: true, Entry: lentEntryOf(keyless, made)}, {}, {}, {}, {}}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("answers %v\nwant    %v", got, want)
	}
}

func lentShowsGivenBack(t *testing.T, o lentOpener) {
	t.Helper()
	i := o.open(t)
	request := i.ask("ann", 2, lentSomeKey)
	i.reserve(request)
	i.giveBack(request)
	if got := i.look(seckill.LookRequest{User: "ann", KeyHash: request.KeyHash}); !got[0].Found || got[0].Entry.Quantity != 0 {
		t.Errorf("answers %v", got)
	}
}

func lentLooksWhilePaused(t *testing.T, o lentOpener) {
	t.Helper()
	i := o.open(t)
	request := i.ask("ann", 2, lentSomeKey)
	i.reserve(request)
	i.renew(func(r *seckill.Renewal) { r.Paused, r.ClosesAt = true, i.server.Now.Add(-time.Minute) })
	before := i.state()
	if got := i.look(seckill.LookRequest{User: "ann", ID: request.ID}); !got[0].Found {
		t.Errorf("answers %v", got)
	}
	after := i.state()
	after.Server = before.Server
	if after != before {
		t.Errorf("state %+v, before %+v", after, before)
	}
}

func lentLooksForMany(t *testing.T, o lentOpener) {
	t.Helper()
	i := o.open(t)
	request := i.ask("ann", 1, "")
	i.reserve(request)
	many := make([]seckill.LookRequest, 2*seckill.ReserveBatchMax+1)
	for n := range many {
		many[n] = seckill.LookRequest{User: "ann", ID: request.ID}
	}
	if got := i.look(many...); !got[len(many)-1].Found {
		t.Error("lost the last one")
	}
	i.look()
}

func lentShowsAll(t *testing.T, o lentOpener) {
	t.Helper()
	i := o.open(t)
	first, second := i.ask("ann", 2, lentSomeKey), i.ask("ann", 1, "")
	made := i.reserve(first, second, i.ask("bob", 1, ""))
	i.giveBack(first)
	gone := lentEntryOf(first, made)
	gone.Quantity = 0
	got := i.look(seckill.LookRequest{User: "ann"}, seckill.LookRequest{User: "cat"}, seckill.LookRequest{User: "ann", ID: second.ID})
	want := []seckill.LookAnswer{
		{Held: []seckill.BuyerEntry{gone, lentEntryOf(second, made)}},
		{},
		{Found: true, Entry: lentEntryOf(second, made)},
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("answers %v\nwant    %v", got, want)
	}
}

func (i *lentItem) look(requests ...seckill.LookRequest) []seckill.LookAnswer {
	i.Helper()
	answers, err := i.Lent.Look(i.Context(), i.id, requests)
	i.must(err)
	if len(answers) != len(requests) {
		i.Fatalf("%d answers to %d requests", len(answers), len(requests))
	}
	return answers
}

func lentEntryOf(request seckill.ReserveRequest, made seckill.ReserveReply) seckill.BuyerEntry {
	return seckill.BuyerEntry{ID: request.ID, Quantity: request.Quantity, KeyHash: request.KeyHash, Batch: made.Own.Batch, Unsent: true}
}
