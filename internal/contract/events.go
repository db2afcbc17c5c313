package contract

import (
	"fmt"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// EventsFixture is an outbox of events on every shard that has none yet.
type EventsFixture struct {
	Events seckill.Events
	Books  seckill.Books
	Shards seckill.Shards
	// Tell writes events as the transactions do that they tell of, with these ids and times.
	Tell func(t *testing.T, shard int, events ...seckill.Event)
	// Elapse makes everything that is timed on a shard's dispatches older, as if that much time had passed.
	Elapse func(t *testing.T, shard int, passed time.Duration)
	// Left counts what the outbox still holds of events and of dispatches.
	Left func(t *testing.T, shard int) (events, dispatches int)
}

// Events is the suite of seckill.Events.
func Events(t *testing.T, open func(t *testing.T) EventsFixture) {
	t.Helper()
	for name, run := range map[string]func(e eventsTest){
		"tells every endpoint every event, and forgets it then":              tellsEveryEndpoint,
		"drops what nobody is told of for a day":                             dropsWithoutEndpoints,
		"spreads in portions, and what was spread not again":                 spreadsInPortions,
		"tells the shards apart":                                             tellsShardsApart,
		"forgets more than one statement carries":                            tellsMany,
		"gives only the oldest of each subject":                              givesTheOldest,
		"keeps the order of a subject whose ids are out of order":            keepsOrderOfVersions,
		"gives what it gave again when the lease is over":                    givesAgain,
		"gives nobody else what is renewed":                                  renewsLeases,
		"renews nothing that is over, put off or dead":                       renewsNothingElse,
		"puts off what failed, and what comes after it":                      putsOffWhatFailed,
		"counts tries from the first one that failed":                        countsTries,
		"goes on with the next of a subject when one is dead":                passesTheDead,
		"keeps one endpoint's failures from the others":                      keepsEndpointsApart,
		"replays a dead one as if it were new":                               replaysTheDead,
		"discards a dead one, and its event with the last":                   discardsTheDead,
		"replays and discards nothing that is not dead":                      leavesTheLiving,
		"replays many dead ones of one endpoint, or of all":                  replaysManyDead,
		"gives up what waits, also while somebody tells it":                  givesUpWhatWaits,
		"discards many dead ones of one endpoint, or of all":                 discardsManyDead,
		"retires what nobody of that name is told any more for a day":        retiresTheForgotten,
		"pages through the dead by event":                                    pagesTheDead,
		"counts what waits":                                                  countsWaiting,
		"changes nothing when telling what was told":                         tellsTwice,
		"gives each dispatch to one of several callers":                      givesToOne,
		"spreads each event once for several callers":                        spreadsOnce,
		"forgets the event when the last two endpoints are told at one time": forgetsTogether,
		"tells all in order whatever several callers fail at":                tellsInACrowd,
		"shows an audit each event with the dispatches that it has left":     showsEvents,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(eventsTest{T: t, EventsFixture: open(t), shard: 0})
		})
	}
}

// eventsTest says in a word what the cases do over and over, on one shard.
type eventsTest struct {
	*testing.T
	EventsFixture
	shard int
}

const shopA, shopB = "shop-a", "shop-b"

// event is one of a subject's, with an id of its own.
func event(id, subject seckill.ID, version int64) seckill.Event {
	return seckill.Event{
		ID: id, Type: seckill.EventOrderPaid, Subject: subject, Version: version, At: time.UnixMilli(1_700_000_000_000),
		Data: fmt.Appendf(nil, `{"id":"%d","version":%d}`, subject, version),
	}
}

// told writes events and spreads them to endpoints.
func (e eventsTest) told(endpoints []string, events ...seckill.Event) {
	e.Helper()
	e.Tell(e.T, e.shard, events...)
	e.spread(endpoints, len(events))
}

func (e eventsTest) spread(endpoints []string, want int) {
	e.Helper()
	spread := 0
	for {
		n, err := e.Events.Spread(e.Context(), e.shard, endpoints, 100)
		must(e.T, err)
		if spread += n; n == 0 {
			break
		}
	}
	if spread != want {
		e.Fatalf("%d events spread, want %d", spread, want)
	}
}

func (e eventsTest) due(endpoint string) []seckill.Dispatch {
	e.Helper()
	due, err := e.Events.Due(e.Context(), e.shard, endpoint, 100)
	must(e.T, err)
	return due
}

// wantDue leases what is due, and wants exactly these.
func (e eventsTest) wantDue(endpoint string, want ...seckill.ID) []seckill.Dispatch {
	e.Helper()
	due := e.due(endpoint)
	e.want(due, want...)
	return due
}

func (e eventsTest) want(got []seckill.Dispatch, want ...seckill.ID) {
	e.Helper()
	same := len(got) == len(want)
	for i := 0; same && i < len(got); i++ {
		same = got[i].ID == want[i]
	}
	if !same {
		e.Fatalf("want events %v, got %+v", want, got)
	}
}

func (e eventsTest) markTold(endpoint string, events ...seckill.ID) {
	e.Helper()
	must(e.T, e.Events.Told(e.Context(), e.shard, endpoint, events))
}

func (e eventsTest) fail(endpoint string, id seckill.ID, wait time.Duration, dead bool) {
	e.Helper()
	must(e.T, e.Events.Failed(e.Context(), e.shard, endpoint, []seckill.Setback{{Event: id, Wait: wait, Failure: "no answer", Dead: dead}}))
}

func (e eventsTest) wantLeft(events, dispatches int) {
	e.Helper()
	if gotEvents, gotDispatches := e.Left(e.T, e.shard); gotEvents != events || gotDispatches != dispatches {
		e.Fatalf("%d events and %d dispatches are left, want %d and %d", gotEvents, gotDispatches, events, dispatches)
	}
}

func tellsEveryEndpoint(e eventsTest) {
	first := event(1, 10, 1)
	e.told([]string{shopA, shopB}, first, event(2, 20, 1))
	for _, endpoint := range []string{shopA, shopB} {
		due := e.wantDue(endpoint, 1, 2)
		got := due[0]
		if got.Endpoint != endpoint || got.Type != first.Type || got.Subject != 10 || got.Version != 1 || string(got.Data) != string(first.Data) {
			e.Fatalf("got %+v", got)
		}
		if got.At.IsZero() || got.Since.Before(got.At) || got.Tries != 0 || got.Failure != "" || got.Dead {
			e.Fatalf("got %+v", got)
		}
	}
	e.markTold(shopA, 1, 2)
	e.wantLeft(2, 2)
	e.markTold(shopB, 2)
	e.wantLeft(1, 1)
	e.markTold(shopB, 1)
	e.wantLeft(0, 0)
}

func dropsWithoutEndpoints(e eventsTest) {
	fresh := event(3, 20, 2)
	fresh.At = time.Now()
	e.Tell(e.T, e.shard, event(1, 10, 1), event(2, 20, 1), fresh)
	e.spread(nil, 2)
	e.wantLeft(1, 0)
	e.spread([]string{shopA}, 1)
	e.wantDue(shopA, 3)
}

func spreadsInPortions(e eventsTest) {
	e.Tell(e.T, e.shard, event(3, 30, 1), event(1, 10, 1), event(2, 20, 1))
	for _, want := range []int{2, 1, 0} {
		n, err := e.Events.Spread(e.Context(), e.shard, []string{shopA}, 2)
		must(e.T, err)
		if n != want {
			e.Fatalf("%d spread, want %d", n, want)
		}
	}
	e.wantLeft(3, 3)
	// Whoever is named later hears of what is new then.
	e.spread([]string{shopB}, 0)
	e.wantDue(shopB)
}

func tellsShardsApart(e eventsTest) {
	last := e.Shards.Count() - 1
	if last == 0 {
		e.Skip("there is only one")
	}
	e.Tell(e.T, last, event(1, 10, 1))
	e.spread([]string{shopA}, 0)
	e.shard = last
	e.spread([]string{shopA}, 1)
	e.wantDue(shopA, 1)
}

func tellsMany(e eventsTest) {
	const many = 1200
	var events []seckill.Event
	var ids []seckill.ID
	for id := range seckill.ID(many) {
		events = append(events, event(id+1, 10, int64(id)+1)) // one subject: all come with the first
		ids = append(ids, many-id)
	}
	e.told([]string{shopA}, events...)
	e.wantLeft(many, many)
	e.markTold(shopA, ids...)
	e.wantLeft(0, 0)
}

func givesTheOldest(e eventsTest) {
	e.told([]string{shopA}, event(1, 10, 1), event(2, 10, 2), event(3, 20, 5), event(4, 10, 3))
	e.wantDue(shopA, 1, 3)
	e.wantDue(shopA)
	e.markTold(shopA, 3)
	e.wantDue(shopA)
	e.markTold(shopA, 1)
	e.wantDue(shopA, 2)
	e.markTold(shopA, 2)
	e.wantDue(shopA, 4)
}

func keepsOrderOfVersions(e eventsTest) {
	e.Tell(e.T, e.shard, event(5, 10, 1), event(1, 10, 2), event(2, 20, 1))
	n, err := e.Events.Spread(e.Context(), e.shard, []string{shopA}, 1)
	must(e.T, err)
	if n != 2 {
		e.Fatalf("%d spread, want both of the subject", n)
	}
	e.wantDue(shopA, 5)
	e.markTold(shopA, 5)
	e.wantDue(shopA, 1)
}

func givesAgain(e eventsTest) {
	e.told([]string{shopA}, event(1, 10, 1), event(2, 10, 2))
	e.wantDue(shopA, 1)
	e.wantDue(shopA)
	e.Elapse(e.T, e.shard, seckill.DispatchLease)
	e.wantDue(shopA, 1)
}

func renewsLeases(e eventsTest) {
	e.told([]string{shopA}, event(1, 10, 1), event(2, 20, 1), event(3, 10, 2))
	e.wantDue(shopA, 1, 2)
	for range 3 {
		e.Elapse(e.T, e.shard, seckill.DispatchLease*2/5)
		must(e.T, e.Events.Renew(e.Context(), e.shard, shopA, []seckill.ID{2, 1}))
	}
	e.wantDue(shopA)
	e.Elapse(e.T, e.shard, seckill.DispatchLease)
	e.wantDue(shopA, 1, 2)
}

func renewsNothingElse(e eventsTest) {
	e.told([]string{shopA, shopB}, event(1, 10, 1), event(2, 20, 1), event(3, 30, 1), event(4, 40, 1))
	e.wantDue(shopA, 1, 2, 3, 4)
	e.fail(shopA, 2, time.Hour, false)
	e.fail(shopA, 3, 0, true)
	e.markTold(shopA, 4)
	e.Elapse(e.T, e.shard, seckill.DispatchLease)
	must(e.T, e.Events.Renew(e.Context(), e.shard, shopA, []seckill.ID{1, 2, 3, 4, 5}))
	e.wantDue(shopB, 1, 2, 3, 4)
	e.wantDue(shopA, 1)
	e.Elapse(e.T, e.shard, time.Hour-2*seckill.DispatchLease)
	must(e.T, e.Events.Renew(e.Context(), e.shard, shopA, []seckill.ID{2, 3}))
	e.wantDue(shopA, 1)
	e.markTold(shopA, 1)
	e.Elapse(e.T, e.shard, seckill.DispatchLease)
	e.wantDue(shopA, 2)
}
