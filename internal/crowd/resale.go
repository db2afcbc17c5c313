package crowd

import (
	"slices"
	"sync"
	"time"

	"github.com/seckill-dev/seckill/api"
)

// resale measures how long units that came back take to be bought again. Nobody can say which unit was bought, so the crowd
// counts: what it buys beyond what was for sale when it came, has come back before, and the k-th of these is paired with the
// k-th that came back. The time between includes the way of both answers, and what the next shopper needs to notice; other
// people's purchases and answers that were lost only make it longer.
type resale struct {
	mu sync.Mutex
	// free of allotted were for sale when the crowd came, -1 when nobody knows.
	free     int64
	allotted int64
	soldOut  time.Time
	sold     []units
	back     []units
}

// units are some that were bought, or came back, at a moment.
type units struct {
	at time.Time
	n  int64
	// cancelled says that a shopper's cancel was answered then; otherwise they came back no earlier than then.
	cancelled bool
}

// Resale is what was measured: of the units of cancels that were answered after the first sold_out, how long until as many
// were bought again. Unseen are those that were not.
type Resale struct {
	Units, Unseen int64
	P50, P99, Max time.Duration
}

func newResale() *resale { return &resale{free: -1} }

func (r *resale) begin(free, allotted int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.free, r.allotted = free, allotted
}

// empty notes that somebody was told sold_out.
func (r *resale) empty(at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.soldOut.IsZero() {
		r.soldOut = at
	}
}

func (r *resale) bought(at time.Time, n int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sold = append(r.sold, units{at: at, n: n})
}

func (r *resale) returned(at time.Time, n int64, cancelled bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.back = append(r.back, units{at: at, n: n, cancelled: cancelled})
}

// total is how many units came back.
func (r *resale) total() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	var sum int64
	for _, b := range r.back {
		sum += b.n
	}
	return sum
}

// measure says nothing when the stock is not what it was: units that were added meanwhile cannot be told from those that came
// back.
func (r *resale) measure(stock *api.ItemStats) Resale {
	r.mu.Lock()
	defer r.mu.Unlock()
	var found Resale
	if r.free < 0 || r.soldOut.IsZero() || stock != nil && stock.Allotted != r.allotted {
		return found
	}
	sold := inOrder(r.sold)
	sold = sold[min(int(r.free), len(sold)):]
	var took []time.Duration
	for i, back := range inOrder(r.back) {
		switch {
		case !back.cancelled || back.at.Before(r.soldOut):
		case i < len(sold):
			took = append(took, max(0, sold[i].at.Sub(back.at)))
		default:
			found.Unseen++
		}
	}
	if len(took) == 0 {
		return found
	}
	slices.Sort(took)
	found.Units = int64(len(took))
	found.P50, found.P99, found.Max = quantile(took, 50), quantile(took, 99), took[len(took)-1]
	return found
}

// inOrder lists units one by one, as they happened.
func inOrder(all []units) []units {
	var singles []units
	for _, u := range all {
		for range u.n {
			singles = append(singles, units{at: u.at, n: 1, cancelled: u.cancelled})
		}
	}
	slices.SortStableFunc(singles, func(a, b units) int { return a.at.Compare(b.at) })
	return singles
}

// quantile is the smallest value that so many of a hundred do not exceed.
func quantile(sorted []time.Duration, percent int) time.Duration {
	return sorted[max(0, (len(sorted)*percent+99)/100-1)]
}
