package crowd

import (
	"context"
	"sync"
	"time"
)

const knockEvery = 100 * time.Millisecond

// outage keeps a crowd from knocking at a closed door: one knocks, the others wait.
type outage struct {
	knock func(context.Context) bool
	tally *tally

	mu   sync.Mutex
	over chan struct{} // nil while the server answers
}

// known says whether there is one.
func (o *outage) known() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.over != nil
}

// await returns when no outage is known.
func (o *outage) await(ctx context.Context) error {
	o.mu.Lock()
	over := o.over
	o.mu.Unlock()
	if over == nil {
		return nil
	}
	select {
	case <-over:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// begin notes that the server was not reached and starts to knock, unless somebody does already.
func (o *outage) begin(ctx context.Context) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.over != nil {
		return
	}
	o.over = make(chan struct{})
	o.tally.outages.Add(1)
	go o.wait(ctx)
}

// wait knocks until somebody opens or ctx, the phase, ends.
func (o *outage) wait(ctx context.Context) {
	turn := time.NewTicker(knockEvery)
	defer turn.Stop()
	for !o.knock(ctx) {
		select {
		case <-turn.C:
		case <-ctx.Done():
			o.end()
			return
		}
	}
	o.tally.moved()
	o.end()
}

func (o *outage) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	close(o.over)
	o.over = nil
}
