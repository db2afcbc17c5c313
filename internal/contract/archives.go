package contract

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Archive is a fresh store of what is put away, and of what that is about.
type Archive struct {
	Till
	Archives seckill.Archives
	Catalog  seckill.Catalog
	Marks    seckill.Marks
	// Tell writes an event that somebody has to be told.
	Tell func(ctx context.Context, shard int, event seckill.Event) error
}

// archiveCase is one behaviour of archives.
type archiveCase struct {
	name string
	run  func(l archiveTest)
}

type archiveTest struct {
	tillTest
	Archive
}

// Archives is the suite of seckill.Archives.
func Archives(t *testing.T, open func(t *testing.T) Archive) {
	t.Helper()
	for _, c := range []archiveCase{
		{"reads the events of orders, and of no others", readsEventsOf},
		{"pages through the events that are still to be told", pagesUntold},
		{"keeps the first summary of a sale, with its act", keepsSummary},
		{"keeps one summary when several come at once", keepsOneSummary},
		{"forgets the marks of an item, and nothing else", forgetsMarks},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			archive := open(t)
			c.run(archiveTest{tillTest{T: t, Till: archive.Till, item: 7, users: new(int)}, archive})
		})
	}
}

func readsEventsOf(l archiveTest) {
	shard := l.tillTest.Shards.Count() - 1
	orders := l.placedOn(3, func(int) int { return shard })
	cancelled := l.cancel(orders[1])
	events, err := l.Archives.EventsOf(l.Context(), shard, []seckill.ID{orders[1].ID, orders[0].ID})
	must(l.T, err)
	var got, want []string
	for _, e := range events {
		got = append(got, fmt.Sprintf("%s %d %s %s", e.Order, e.Version, e.State, e.Cause))
		if e.At.IsZero() {
			l.Errorf("event %d of %s has no time", e.Version, e.Order)
		}
	}
	want = append(want,
		fmt.Sprintf("%s 1 unpaid settle", orders[0].ID), fmt.Sprintf("%s 1 unpaid settle", cancelled.ID),
		fmt.Sprintf("%s 2 cancelled operator", cancelled.ID))
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		l.Fatalf("got %v, want %v", got, want)
	}
}

func pagesUntold(l archiveTest) {
	const events = 5
	shard := l.tillTest.Shards.Count() - 1
	subject := l.id(bucketOn(l.tillTest.Shards, shard))
	for version := range int64(events) {
		must(l.T, l.Tell(l.Context(), shard, seckill.Event{
			Type: seckill.EventOrderPaid, Subject: subject, Version: version + 1, Data: []byte("{}"),
		}))
	}
	var versions []int64
	for after := seckill.ID(0); ; {
		page, err := l.Archives.UntoldAfter(l.Context(), shard, after, 2)
		must(l.T, err)
		if len(page) == 0 {
			break
		}
		for _, e := range page {
			if e.ID <= after || e.Subject != subject || e.Type != seckill.EventOrderPaid || e.At.IsZero() {
				l.Fatalf("after %s comes %+v", after, e)
			}
			versions, after = append(versions, e.Version), e.ID
		}
	}
	slices.Sort(versions)
	if !slices.Equal(versions, []int64{1, 2, 3, 4, 5}) {
		l.Fatalf("got the versions %v", versions)
	}
}

func (l archiveTest) keep(sale seckill.ID, body string) (seckill.Summary, bool) {
	l.Helper()
	kept, wrote, err := l.Archives.Keep(l.Context(), sale, []byte(body), seckill.Act{
		Actor: "operator:ann", Action: "sale.archive", Target: sale, After: body,
	})
	must(l.T, err)
	return kept, wrote
}

// acts wants one act on the sale, for one summary.
func (l archiveTest) wantOneAct(sale seckill.ID) {
	l.Helper()
	acts, err := l.Catalog.Acts(l.Context(), sale, 10)
	must(l.T, err)
	if len(acts) != 1 || acts[0].Action != "sale.archive" {
		l.Fatalf("got %+v", acts)
	}
}

func keepsSummary(l archiveTest) {
	sale := l.id(0)
	_, err := l.Archives.Summary(l.Context(), sale)
	wantMissing(l.T, err)
	first, wrote := l.keep(sale, `{"units":1}`)
	if !wrote || first.Sale != sale || string(first.Body) != `{"units":1}` || first.At.IsZero() {
		l.Fatalf("got %t, %+v", wrote, first)
	}
	again, wrote := l.keep(sale, `{"units":2}`)
	if wrote || string(again.Body) != `{"units":1}` || again.At != first.At {
		l.Fatalf("got %t, %+v", wrote, again)
	}
	found, err := l.Archives.Summary(l.Context(), sale)
	if must(l.T, err); string(found.Body) != `{"units":1}` || found.At != first.At {
		l.Fatalf("got %+v", found)
	}
	l.wantOneAct(sale)
}

func keepsOneSummary(l archiveTest) {
	sale := l.id(0)
	won := race(l.T, 8, func(caller int) (bool, error) {
		_, wrote, err := l.Archives.Keep(l.Context(), sale, fmt.Appendf(nil, `{"caller":%d}`, caller), seckill.Act{
			Actor: "operator:ann", Action: "sale.archive", Target: sale,
		})
		return wrote, err
	})
	if won != 1 {
		l.Fatalf("%d of them wrote it", won)
	}
	l.wantOneAct(sale)
}

func forgetsMarks(l archiveTest) {
	shards := l.tillTest.Shards
	bucket := bucketOn(shards, shards.Count()-1)
	closed, other, process := l.id(bucket), l.id(bucket), l.id(bucket)
	shard := shards.Shard(bucket)
	now, err := l.Marks.Now(l.Context(), shard)
	must(l.T, err)
	must(l.T, l.Marks.Beat(l.Context(), shard, seckill.Beat{Incarnation: process, Begun: now, Marks: []seckill.Mark{
		{Item: closed, Epoch: 1, Sold: 3}, {Item: other, Epoch: 1, Sold: 4},
	}}))
	for range 2 {
		must(l.T, l.Archives.Forget(l.Context(), closed))
	}
	for item, want := range map[seckill.ID]int64{closed: 0, other: 4} {
		highest, err := l.Marks.Highest(l.Context(), item, 1)
		if must(l.T, err); highest != want {
			l.Errorf("the highest mark of %s is %d, want %d", item, highest, want)
		}
	}
	beats, err := l.Marks.Heartbeats(l.Context(), shard, now.Add(-time.Second))
	if must(l.T, err); len(beats) != 1 {
		l.Errorf("there are %d heartbeats", len(beats))
	}
}
