package contract

import (
	"cmp"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// lentProbes is how long a probe may take before it is sent again.
const lentProbes = 20 * time.Millisecond

// lentAnnounced is how many items, from the one under test on, a listener cares for.
const lentAnnounced = 300

func lentAnnouncements() []lentCase {
	return []lentCase{
		{"reach everyone who listens, in any order, until they stop", lentAnnounces},
	}
}

func lentAnnounces(t *testing.T, o lentOpener) {
	t.Helper()
	i := o.fresh(t)
	want := make([]seckill.Decision, 4*lentAnnounced+1)
	for n := range want {
		want[n] = seckill.Decision{Item: i.id + seckill.ID(n/5), Reservation: i.next()}
	}
	first, second := i.listen(), i.listen()
	i.must(i.Announcements.Announce(t.Context(), nil))
	i.must(i.Announcements.Announce(t.Context(), want))
	for _, heard := range []<-chan seckill.Decision{first, second} {
		got := make([]seckill.Decision, len(want))
		for n := range got {
			got[n] = i.hear(heard)
		}
		slices.SortFunc(got, func(a, b seckill.Decision) int { return cmp.Compare(a.Reservation, b.Reservation) })
		if !slices.Equal(got, want) {
			t.Errorf("heard something else than was announced")
		}
	}
}

func (i *lentItem) hear(heard <-chan seckill.Decision) seckill.Decision {
	i.Helper()
	select {
	case decision := <-heard:
		return decision
	case <-time.After(lentPatience):
		i.Fatalf("heard nothing for %v", lentPatience)
		return seckill.Decision{}
	}
}

// listen returns what is heard, from the moment that the subscription works. Listen must end with the test.
func (i *lentItem) listen() <-chan seckill.Decision {
	i.Helper()
	probe := seckill.Decision{Item: i.id - 1, Reservation: i.next()}
	heard, ready, ended := make(chan seckill.Decision, 8*lentAnnounced), make(chan struct{}), make(chan struct{})
	var once sync.Once
	deliver := func(decisions []seckill.Decision) {
		for _, decision := range decisions {
			if decision == probe {
				once.Do(func() { close(ready) })
			} else if decision.Item >= i.id && decision.Item < i.id+lentAnnounced {
				heard <- decision
			}
		}
	}
	go func() {
		defer close(ended)
		if err := i.Announcements.Listen(i.Context(), deliver); err != nil {
			i.Errorf("listen: %v", err)
		}
	}()
	i.Cleanup(func() { <-ended })
	i.until("listening", func() bool {
		i.must(i.Announcements.Announce(i.Context(), []seckill.Decision{probe}))
		select {
		case <-ready:
			return true
		case <-time.After(lentProbes): // those who listen already must keep up with the probes
			return false
		}
	})
	return heard
}
