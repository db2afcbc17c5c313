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
		{"keeps a summary of a sale, with its act", keepsSummary},
		{"writes anew what is not true any more, with its act, and keeps when it was first", renewsSummary},
		{"leaves alone what somebody else has counted meanwhile", keepsNewerSummary},
		{"keeps one summary when several come at once", keepsOneSummary},
		{"renews it once when several come at once", renewsOnce},
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

func (l archiveTest) keep(sale seckill.ID, seen, body string) (seckill.Summary, bool) {
	l.Helper()
	kept, wrote, err := l.Archives.Keep(l.Context(), sale, seenBefore(seen), []byte(body), archiveAct(sale, seen, body))
	must(l.T, err)
	return kept, wrote
}

func seenBefore(text string) []byte {
	if text == "" {
		return nil
	}
	return []byte(text)
}

func archiveAct(sale seckill.ID, before, after string) seckill.Act {
	return seckill.Act{Actor: "operator:ann", Action: "sale.archive", Target: sale, Before: before, After: after}
}

// wantActs wants one act on the sale for each summary that was written, the last one first.
func (l archiveTest) wantActs(sale seckill.ID, summaries ...string) {
	l.Helper()
	acts, err := l.Catalog.Acts(l.Context(), sale, 10)
	must(l.T, err)
	after := make([]string, len(acts))
	for i, act := range acts {
		if after[i] = act.After; act.Action != "sale.archive" {
			l.Errorf("got %+v", act)
		}
	}
	if !slices.Equal(after, summaries) {
		l.Fatalf("the log has %v, want %v", after, summaries)
	}
}

func keepsSummary(l archiveTest) {
	sale := l.id(0)
	_, err := l.Archives.Summary(l.Context(), sale)
	wantMissing(l.T, err)
	first, wrote := l.keep(sale, "", `{"units":1}`)
	if !wrote || first.Sale != sale || string(first.Body) != `{"units":1}` || first.At.IsZero() {
		l.Fatalf("got %t, %+v", wrote, first)
	}
	for _, seen := range []string{"", `{"units":1}`} {
		if again, wrote := l.keep(sale, seen, `{"units":1}`); wrote || string(again.Body) != `{"units":1}` || again.At != first.At {
			l.Fatalf("got %t, %+v", wrote, again)
		}
	}
	found, err := l.Archives.Summary(l.Context(), sale)
	if must(l.T, err); string(found.Body) != `{"units":1}` || found.At != first.At {
		l.Fatalf("got %+v", found)
	}
	l.wantActs(sale, `{"units":1}`)
}

func renewsSummary(l archiveTest) {
	sale := l.id(0)
	first, _ := l.keep(sale, "", `{"refunded":0}`)
	renewed, wrote := l.keep(sale, `{"refunded":0}`, `{"refunded":1}`)
	if !wrote || string(renewed.Body) != `{"refunded":1}` || renewed.At != first.At {
		l.Fatalf("got %t, %+v", wrote, renewed)
	}
	found, err := l.Archives.Summary(l.Context(), sale)
	if must(l.T, err); string(found.Body) != `{"refunded":1}` || found.At != first.At {
		l.Fatalf("got %+v", found)
	}
	l.wantActs(sale, `{"refunded":1}`, `{"refunded":0}`)
}

func keepsNewerSummary(l archiveTest) {
	sale := l.id(0)
	l.keep(sale, "", `{"refunded":0}`)
	l.keep(sale, `{"refunded":0}`, `{"refunded":2}`)
	for _, seen := range []string{"", `{"refunded":0}`} {
		if found, wrote := l.keep(sale, seen, `{"refunded":1}`); wrote || string(found.Body) != `{"refunded":2}` {
			l.Fatalf("got %t, %+v", wrote, found)
		}
	}
	l.wantActs(sale, `{"refunded":2}`, `{"refunded":0}`)
}

func keepsOneSummary(l archiveTest) { l.keepsOneOf(l.id(0), "") }

func renewsOnce(l archiveTest) {
	sale := l.id(0)
	l.keep(sale, "", `{"units":1}`)
	l.keepsOneOf(sale, `{"units":1}`)
}

// keepsOneOf has several keep a summary who saw the same before.
func (l archiveTest) keepsOneOf(sale seckill.ID, seen string) {
	l.Helper()
	won := race(l.T, 8, func(caller int) (bool, error) {
		body := fmt.Sprintf(`{"caller":%d}`, caller)
		_, wrote, err := l.Archives.Keep(l.Context(), sale, seenBefore(seen), []byte(body), archiveAct(sale, seen, body))
		return wrote, err
	})
	if won != 1 {
		l.Fatalf("%d of them wrote it", won)
	}
	found, err := l.Archives.Summary(l.Context(), sale)
	must(l.T, err)
	want := []string{string(found.Body)}
	if seen != "" {
		want = append(want, seen)
	}
	l.wantActs(sale, want...)
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
