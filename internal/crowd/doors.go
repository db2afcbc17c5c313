package crowd

import (
	"context"
	"sync/atomic"
)

// door is one shoppers' listener.
type door struct {
	base   string
	outage *outage
}

// doors are all listeners. The crowd takes turns, as a balancer would have it, and passes by those that are closed.
type doors struct {
	all  []*door
	turn atomic.Uint64
}

func newDoors(bases []string, knock func(ctx context.Context, base string) bool, t *tally) *doors {
	d := &doors{}
	for _, base := range bases {
		d.all = append(d.all, &door{base, &outage{tally: t, knock: func(ctx context.Context) bool { return knock(ctx, base) }}})
	}
	return d
}

// open returns the next door that is not known to be closed. While all of them are it waits for the one whose turn it is:
// they come back one by one, and somebody waits at each.
func (d *doors) open(ctx context.Context) (*door, error) {
	first := d.turn.Add(1)
	for i := range uint64(len(d.all)) {
		if next := d.all[(first+i)%uint64(len(d.all))]; !next.outage.known() {
			return next, nil
		}
	}
	mine := d.all[first%uint64(len(d.all))]
	return mine, mine.outage.await(ctx)
}
