package contract

import (
	"bytes"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/seckill-dev/seckill/internal/seckill"
)

func lentReserve() []lentCase {
	return []lentCase{
		{"accepts, counts, and writes one message", lentAccepts},
		{"writes no message when nothing was accepted", lentWritesNoMessage},
		{"lets one refusal stop nobody", lentRefusesOne},
		{"shows later requests what earlier ones were given", lentShowsEarlier},
		{"keeps items apart", lentKeepsItemsApart},
		{"never oversells to concurrent batches", lentNeverOversells},
	}
}

func lentAccepts(t *testing.T, o lentOpener) {
	t.Helper()
	i := o.open(t)
	first, second := i.ask("ann", 2, "k"), i.ask("bob@shop.example", 1, "")
	reply := i.reserve(first, second)
	if lentCodes(reply) != "[1 1]" || reply.Epoch != lentEpoch || reply.Sold != 3 || reply.Available != lentStock-3 {
		t.Fatalf("reply %+v", reply)
	}
	i.checkMessage(reply, first, second)
	if got := i.outbox(); len(got) != 1 || !got[0].Unsent || got[0].Tries != 0 || !bytes.Equal(got[0].Bytes, reply.Own.Bytes) {
		t.Errorf("outbox %+v, want the message as it was answered", got)
	}
	if s := i.state(); s.Sold != 3 || s.Available != lentStock-3 || s.Unsent != 1 || s.Unsettled != 0 {
		t.Errorf("state %+v", s)
	}
}

func lentWritesNoMessage(t *testing.T, o lentOpener) {
	t.Helper()
	i := o.open(t, func(l *seckill.Load) { l.Available = 0 })
	reply := i.reserve(i.ask("ann", 1, ""))
	if reply.Own.Bytes != nil || len(i.outbox()) != 0 {
		t.Errorf("wrote %q", reply.Own.Bytes)
	}
}

func lentRefusesOne(t *testing.T, o lentOpener) {
	t.Helper()
	i := o.open(t, func(l *seckill.Load) { l.Available = 3 })
	reply := i.reserve(i.ask("ann", 2, ""), i.ask("bob", 2, ""), i.ask("cat", lentLimit+1, ""), i.ask("dan", 1, ""), i.ask("eve", 1, ""))
	if got := lentCodes(reply); got != "[1 10 9 1 10]" {
		t.Fatalf("codes %s", got)
	}
	if reply.Outcomes[1].Available != 1 || reply.Outcomes[4].Available != 0 || reply.Available != 0 {
		t.Errorf("available %d then %d", reply.Outcomes[1].Available, reply.Outcomes[4].Available)
	}
}

func lentShowsEarlier(t *testing.T, o lentOpener) {
	t.Helper()
	i := o.open(t)
	first := i.ask("ann", 2, lentSomeKey)
	reply := i.reserve(first, i.ask("ann", 2, lentSomeKey), i.ask("ann", 2, ""), i.ask("ann", 1, ""))
	if got := lentCodes(reply); got != "[1 3 9 1]" {
		t.Fatalf("codes %s", got)
	}
	again := reply.Outcomes[1]
	if again.ID != first.ID || again.Batch != reply.Own.Batch || len(reply.Unsent) != 0 {
		t.Errorf("replay inside the batch: %+v, unsent %v", again, reply.Unsent)
	}
	if held := reply.Outcomes[2].Held; len(held) != 1 || held[0].ID != first.ID || held[0].Quantity != 2 {
		t.Errorf("held %+v", held)
	}
}

func lentKeepsItemsApart(t *testing.T, o lentOpener) {
	t.Helper()
	i, j := o.open(t), o.open(t)
	i.reserve(i.ask("ann", 3, lentSomeKey))
	j.one(seckill.ReserveAccepted, j.ask("ann", 3, lentSomeKey))
}

func lentNeverOversells(t *testing.T, o lentOpener) {
	t.Helper()
	lentConcurrent(o.open(t, func(l *seckill.Load) { l.Available = 300 }))
}

// checkMessage holds a reply's message against the domain's form.
func (i *lentItem) checkMessage(reply seckill.ReserveReply, accepted ...seckill.ReserveRequest) {
	i.Helper()
	m, err := seckill.DecodeMessage(reply.Own.Bytes)
	i.must(err)
	if !bytes.Equal(m.Encode(), reply.Own.Bytes) {
		i.Errorf("message %s\nencodes %s", reply.Own.Bytes, m.Encode())
	}
	want := seckill.Message{Batch: reply.Own.Batch, Item: i.id, Epoch: reply.Epoch, At: reply.Now.UnixMilli(), Sold: reply.Sold}
	for _, r := range accepted {
		want.Reservations = append(want.Reservations, seckill.Reserved(r))
	}
	if got := fmt.Sprint(m); got != fmt.Sprint(want) {
		i.Errorf("message %s, want %v", got, want)
	}
}

// lentConcurrent lets callers race with one another for the same 125 users, of whom the limit allows one purchase each.
func lentConcurrent(i *lentItem) {
	const callers, calls, perCall = 4, 5, 25
	var group sync.WaitGroup
	var sold atomic.Int64
	for c := range callers {
		group.Go(func() {
			for n := range calls {
				sold.Add(i.buyTwoEach((c+n)%calls, perCall))
			}
		})
	}
	group.Wait()
	state := i.state()
	if want := int64(2 * calls * perCall); sold.Load() != want || state.Sold != want || state.Available != 300-want {
		i.Errorf("sold %d, redis says %d with %d left, want %d", sold.Load(), state.Sold, state.Available, want)
	}
}

// buyTwoEach asks for two units for each user of a group and returns how many were granted.
func (i *lentItem) buyTwoEach(group, users int) (sold int64) {
	requests := make([]seckill.ReserveRequest, users)
	for u := range requests {
		requests[u] = i.ask(fmt.Sprintf("u%d-%d", group, u), 2, "")
	}
	reply, err := i.Lent.Reserve(i.Context(), i.id, i.next(), requests)
	if err != nil {
		i.Error(err)
	}
	for _, outcome := range reply.Outcomes {
		if outcome.Code == seckill.ReserveAccepted {
			sold += outcome.Quantity
		}
	}
	return sold
}
