package keeper

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	// errandsMax is how many calls one job has under way at a time, errandWithin bounds each of them.
	errandsMax   = 16
	errandWithin = 10 * time.Second
	// errandsFor is how long a run goes on looking for more beside a call that takes long; with the last of them it stays
	// within runTimeout.
	errandsFor   = 10 * time.Second
	errandsEvery = 250 * time.Millisecond
)

// errands are calls to somebody outside, who may be slow or away. A few are under way at a time, and what has come up since
// is looked for beside one that takes long, so that it keeps nobody waiting.
type errands[K comparable, T any] struct {
	clock seckill.Clock
	// find reads what is to be done now, the most urgent first.
	find func(ctx context.Context) ([]T, error)
	key  func(T) K
	do   func(ctx context.Context, errand T)
}

// run does what there is, each errand once, and returns when all of them are done. An error is find's last one.
func (e errands[K, T]) run(ctx context.Context) error {
	round := errandRound[K, T]{errands: e, begun: make(map[K]bool), done: make(chan struct{}, errandsMax)}
	err := round.look(ctx)
	over, next := e.clock.After(errandsFor), e.clock.After(errandsEvery)
	for {
		round.start(ctx)
		if round.underWay == 0 {
			return err
		}
		select {
		case <-round.done:
			round.underWay--
		case <-next:
			err = round.look(ctx)
			next = e.clock.After(errandsEvery)
		case <-over:
			next = nil
		}
	}
}

// errandRound is one run.
type errandRound[K comparable, T any] struct {
	errands[K, T]
	begun    map[K]bool
	waiting  []T
	underWay int
	done     chan struct{}
}

func (r *errandRound[K, T]) look(ctx context.Context) error {
	found, err := r.find(ctx)
	r.waiting = r.waiting[:0]
	for _, errand := range found {
		if !r.begun[r.key(errand)] {
			r.waiting = append(r.waiting, errand)
		}
	}
	// Other keepers find the same: who begins elsewhere seldom makes a call that another one is making.
	if len(r.waiting) > errandsMax {
		rand.Shuffle(len(r.waiting), func(i, j int) { r.waiting[i], r.waiting[j] = r.waiting[j], r.waiting[i] })
	}
	return err
}

func (r *errandRound[K, T]) start(ctx context.Context) {
	for ; len(r.waiting) > 0 && r.underWay < errandsMax && ctx.Err() == nil; r.underWay++ {
		errand := r.waiting[0]
		r.waiting = r.waiting[1:]
		r.begun[r.key(errand)] = true
		go func() {
			defer func() { r.done <- struct{}{} }()
			bounded, cancel := context.WithTimeout(ctx, errandWithin)
			defer cancel()
			r.do(bounded, errand)
		}()
	}
}
