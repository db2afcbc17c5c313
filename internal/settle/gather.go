package settle

import (
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Bounds of one gathering.
const (
	// reservationsMax bounds a transaction. Half as many cost a tenth more per order, twice as many a tenth less; but the
	// stock row is locked for that long, and what a crash undoes is done again.
	reservationsMax = 1000
	// gatherFor is how long a batch is waited for when nothing else is under way, gatherLongest when something is: it may
	// wait for a row that nobody else needs.
	gatherFor     = 5 * time.Millisecond
	gatherLongest = 50 * time.Millisecond
)

// parcel is one delivery and what its bytes say.
type parcel struct {
	delivery seckill.Delivery
	message  seckill.Message
	broken   error
}

// gathering is the batch that comes together while others are settled.
type gathering struct {
	clock   seckill.Clock
	parcels []parcel
	count   int
	// late tells when the batch has waited for gatherFor, and then for gatherLongest; waited is how many of them it has.
	late   <-chan time.Time
	waited int
}

func (g *gathering) add(delivery seckill.Delivery) {
	message, err := seckill.DecodeMessage(delivery.Body)
	g.parcels = append(g.parcels, parcel{delivery, message, err})
	g.count += max(1, len(message.Reservations))
	if g.late == nil && g.waited == 0 {
		g.late = g.clock.After(gatherFor)
	}
}

func (g *gathering) full() bool { return g.count >= reservationsMax }

// wait notes that late has come.
func (g *gathering) wait() {
	g.waited++
	g.late = nil
	if g.waited == 1 {
		g.late = g.clock.After(gatherLongest)
	}
}

// isDue says whether the batch should go now, with so many others under way.
func (g *gathering) isDue(underWay int) bool {
	return g.full() || g.waited > 1 || g.waited == 1 && underWay == 0
}

// take hands the batch out and begins the next one.
func (g *gathering) take() []parcel {
	parcels := g.parcels
	*g = gathering{clock: g.clock}
	return parcels
}
