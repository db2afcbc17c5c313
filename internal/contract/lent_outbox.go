package contract

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// batches reserves one unit in each of n batches.
func (i *lentItem) batches(n int) []seckill.ID {
	i.Helper()
	var out []seckill.ID
	for range n {
		request := i.ask("ann", 1, "")
		request.User = seckill.UserID("user-" + request.ID.String())
		out = append(out, i.reserve(request).Own.Batch)
	}
	return out
}

func (i *lentItem) counts(unsent, unsettled int64) {
	i.Helper()
	if s := i.state(); s.Unsent != unsent || s.Unsettled != unsettled {
		i.Fatalf("%d unsent, %d unsettled, want %d and %d", s.Unsent, s.Unsettled, unsent, unsettled)
	}
}

func lentBatches(entries []seckill.DueEntry) []seckill.ID {
	var out []seckill.ID
	for _, entry := range entries {
		out = append(out, entry.Batch)
	}
	return out
}

func lentOutbox() []lentCase {
	return []lentCase{
		{"moves sent batches and forgets settled ones", lentMovesBatches},
		{"trap 21: does not bring back by sent what is settled", lentKeepsSettledAway},
		{"pages without touching", lentPagesOutbox},
		{"takes no batches and very many", lentTakesManyBatches},
	}
}

func lentMovesBatches(t *testing.T, o lentOpener) {
	t.Helper()
	i := o.open(t)
	b := i.batches(3)
	i.counts(3, 0)
	for range 2 {
		i.must(i.Lent.Sent(t.Context(), i.id, b[:2]))
		i.counts(1, 2)
	}
	for range 2 {
		i.must(i.Lent.Settled(t.Context(), i.id, b[1:]))
		i.counts(0, 1)
	}
	if box := i.outbox(); len(box) != 1 || box[0].Batch != b[0] || box[0].Unsent || len(box[0].Bytes) == 0 {
		t.Errorf("outbox %v", box)
	}
}

func lentKeepsSettledAway(t *testing.T, o lentOpener) {
	t.Helper()
	i := o.open(t)
	b := i.batches(1)
	i.must(i.Lent.Settled(t.Context(), i.id, b))
	i.must(i.Lent.Sent(t.Context(), i.id, append(b, i.next())))
	i.counts(0, 0)
}

func lentPagesOutbox(t *testing.T, o lentOpener) {
	t.Helper()
	i := o.open(t)
	b := i.batches(7)
	i.must(i.Lent.Sent(t.Context(), i.id, b[:3]))
	want := append(slices.Clone(b[3:]), b[:3]...)
	for range 2 {
		var got []seckill.DueEntry
		for offset := 0; ; offset += 2 {
			page, err := i.Lent.Outbox(t.Context(), i.id, offset, 2)
			i.must(err)
			if len(page) == 0 {
				break
			}
			got = append(got, page...)
		}
		if !slices.Equal(lentBatches(got), want) {
			t.Fatalf("pages give %v, want the unsent %v first", lentBatches(got), want)
		}
		for _, entry := range got {
			if entry.Tries != 0 {
				t.Errorf("counted a try: %+v", entry)
			}
		}
	}
}

func lentTakesManyBatches(t *testing.T, o lentOpener) {
	t.Helper()
	i := o.open(t)
	i.must(i.Lent.Sent(t.Context(), i.id, nil))
	i.must(i.Lent.Settled(t.Context(), i.id, nil))
	many := append(make([]seckill.ID, 0, 1100), i.batches(1)...)
	for range 1099 {
		many = append(many, i.next())
	}
	slices.Reverse(many)
	i.must(i.Lent.Sent(t.Context(), i.id, many))
	i.counts(0, 1)
	i.must(i.Lent.Settled(t.Context(), i.id, many))
	i.counts(0, 0)
}

// lentOwed asks for everything that is owed.
func lentOwed() seckill.DueQuery {
	return seckill.DueQuery{UnsentFor: lentAny, UnsettledFor: lentAny, TriesMax: 20, SlowFor: time.Hour, Max: 100}
}

// lentAny is an age that every batch has reached.
const lentAny = time.Microsecond

func (i *lentItem) due(query seckill.DueQuery) []seckill.DueEntry {
	i.Helper()
	entries, err := i.Lent.Due(i.Context(), i.id, query)
	i.must(err)
	return entries
}

func lentDue() []lentCase {
	return []lentCase{
		{"gives what has stood long enough, with its message, and counts the try", lentGivesDue},
		{"leaves young ones and unasked sets alone", lentLeavesYoung},
		{"gives a batch again only after it has stood once more", lentGivesDueAgain},
		{"trap 16: slows down after so many tries, without holding others up", lentSlowsDown},
		{"counts anew once the batch was sent, and gives at most so many", lentCountsAnew},
	}
}

func lentGivesDue(t *testing.T, o lentOpener) {
	t.Helper()
	i := o.open(t)
	b := i.batches(3)
	i.must(i.Lent.Sent(t.Context(), i.id, b[:1]))
	for try := 1; try <= 3; try++ {
		got := i.due(lentOwed())
		if fmt.Sprint(lentBatches(got)) != fmt.Sprint([]seckill.ID{b[1], b[2], b[0]}) {
			t.Fatalf("due %v of %v", lentBatches(got), b)
		}
		for n, entry := range got {
			if m, err := seckill.DecodeMessage(entry.Bytes); err != nil || m.Batch != entry.Batch || entry.Tries != try || entry.Unsent != (n < 2) {
				t.Errorf("entry %+v, %v", entry, err)
			}
		}
	}
	i.counts(2, 1)
}

func lentLeavesYoung(t *testing.T, o lentOpener) {
	t.Helper()
	i := o.open(t)
	b := i.batches(2)
	i.must(i.Lent.Sent(t.Context(), i.id, b[:1]))
	young, unsent, unsettled := lentOwed(), lentOwed(), lentOwed()
	young.UnsentFor, young.UnsettledFor = time.Hour, time.Hour
	unsent.UnsettledFor, unsettled.UnsentFor = 0, 0
	if got := i.due(young); len(got) != 0 {
		t.Errorf("young: %v", got)
	}
	if got := i.due(unsent); !slices.Equal(lentBatches(got), b[1:]) {
		t.Errorf("unsent only: %v", got)
	}
	if got := i.due(unsettled); !slices.Equal(lentBatches(got), b[:1]) {
		t.Errorf("unsettled only: %v", got)
	}
}

func lentGivesDueAgain(t *testing.T, o lentOpener) {
	t.Helper()
	i := o.open(t)
	i.batches(1)
	aged := lentOwed()
	aged.UnsentFor = lentMoment
	i.until("due", func() bool { return len(i.due(aged)) == 1 })
	start := i.now().Now
	i.until("due again", func() bool {
		got := len(i.due(aged))
		if now := i.now().Now; got == 1 && now.Sub(start) < lentMoment/2 {
			t.Fatalf("due again after %v", now.Sub(start))
		}
		return got == 1
	})
}

// Poison would be republished for ever at full speed.
func lentSlowsDown(t *testing.T, o lentOpener) {
	t.Helper()
	i := o.open(t)
	b := i.batches(2)
	slow := lentOwed()
	slow.TriesMax, slow.Max = 2, 1
	i.must(i.Lent.Settled(t.Context(), i.id, b[1:]))
	i.due(slow)
	i.due(slow)
	if got := i.due(slow); len(got) != 0 {
		t.Fatalf("a third try: %v", got)
	}
	fresh := i.batches(1)
	if got := i.due(slow); !slices.Equal(lentBatches(got), fresh) {
		t.Errorf("due %v, want the fresh one", got)
	}
	slow.SlowFor, slow.Max = lentAny, 100
	if got := i.due(slow); len(got) != 2 || got[0].Tries+got[1].Tries != 3+2 {
		t.Errorf("when slow ones are due: %+v", got)
	}
}

func lentCountsAnew(t *testing.T, o lentOpener) {
	t.Helper()
	i := o.open(t)
	b := i.batches(3)
	i.due(lentOwed())
	i.must(i.Lent.Sent(t.Context(), i.id, b[:1]))
	few := lentOwed()
	few.Max = 2
	if got := i.due(few); len(got) != 2 {
		t.Errorf("due %v", got)
	}
	few.UnsentFor = 0
	if got := i.due(few); len(got) != 1 || got[0].Tries != 1 {
		t.Errorf("due %+v", got)
	}
}
