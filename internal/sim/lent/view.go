package lent

import (
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// View is an item as one server holds it now, for whoever checks invariants. It copies nothing: it is read before the
// next call, and changed by nobody.
type View struct {
	seckill.LentState
	// Until is the gate's end, zero when there is none.
	Until time.Time

	item *item
}

// View is the item at the primary.
func (r *Redis) View(id seckill.ID) View {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.primary.view(id)
}

// Former is the item at the other server: the primary before the last failover, where there was one.
func (r *Redis) Former(id seckill.ID) View {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.other.view(id)
}

func (s *Server) view(id seckill.ID) View {
	m := s.moment()
	i := s.data.item(id, m)
	v := View{LentState: i.state(m, id), item: i}
	if i.gate != nil {
		v.Until = time.UnixMilli(i.gate.until).UTC()
	}
	return v
}

// Buyers are all users and what they hold, by name: a seed finds the same thing first each time.
func (v View) Buyers() iter.Seq2[seckill.UserID, []seckill.BuyerEntry] {
	return func(yield func(seckill.UserID, []seckill.BuyerEntry) bool) {
		for _, user := range slices.Sorted(maps.Keys(v.item.buyers)) {
			if !yield(user, v.item.buyers[user]) {
				return
			}
		}
	}
}

// Buyer is what one user holds.
func (v View) Buyer(user seckill.UserID) []seckill.BuyerEntry { return v.item.buyers[user] }

// Owed are the batches that are not settled and whether they are unsent, each set oldest first.
func (v View) Owed() iter.Seq2[seckill.Body, bool] {
	return func(yield func(seckill.Body, bool) bool) {
		for n, set := range []scored{v.item.unsent, v.item.unsettled} {
			for _, b := range set {
				if !yield(seckill.Body{Batch: b.batch, Bytes: v.item.bodies[b.batch]}, n == 0) {
					return
				}
			}
		}
	}
}

// Has says whether the outbox still holds a batch.
func (v View) Has(batch seckill.ID) bool { return v.item.bodies[batch] != nil }
