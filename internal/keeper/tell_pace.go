package keeper

import (
	"log/slog"
	"sync"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	// tellBatch is what an endpoint is told at once at first. A batch that was full and told within batchQuick is followed by
	// one twice as large, up to tellBatchMax, and one that took longer by a smaller one: what was leased should be told soon.
	tellBatch    = 32
	tellBatchMax = 500
	batchQuick   = time.Second
	// refusalsMax is how many refusals in a row end a batch: an outage uses up few tries.
	refusalsMax = tellBatch

	// restFirst is how long an endpoint is left alone after nothing of a batch was taken; it doubles up to restMost.
	restFirst = time.Second
	restMost  = 30 * time.Second
	// restsWarned is how many rests in a row are worth a call.
	restsWarned = 3
)

// pace is how much one endpoint is told at a time. One who takes nothing is left alone for a while, and then tried with a
// single event: what waits for him is not used up by tries that cannot succeed.
type pace struct {
	clock    seckill.Clock
	log      *slog.Logger
	endpoint string

	mu    sync.Mutex
	batch int
	rests int // in a row
	until time.Time
	// probing says that the single event is under way.
	probing bool
}

func newPace(clock seckill.Clock, log *slog.Logger, endpoint string) *pace {
	return &pace{clock: clock, log: log, endpoint: endpoint, batch: tellBatch}
}

// next is how much may be told now; 0 is nothing. One who was given more must say what came of it.
func (p *pace) next() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.probing || p.clock.Now().Before(p.until):
		return 0
	case p.rests > 0:
		p.probing = true
		return 1
	default:
		return p.batch
	}
}

// stepped says that there was nothing to tell.
func (p *pace) stepped() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.probing = false
}

// took hears what came of a batch: how many were answered for good, and one of the refusals.
func (p *pace) took(answered int, refusal error, within time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.probing = false
	switch {
	case answered > 0:
		p.taken(answered, within)
	case refusal != nil:
		p.rest(refusal)
	}
}

func (p *pace) taken(answered int, within time.Duration) {
	if p.rests >= restsWarned {
		p.log.Info("an endpoint takes events again", "endpoint", p.endpoint)
	}
	p.rests, p.until = 0, time.Time{}
	switch {
	case within > batchQuick:
		p.batch = max(p.batch/2, tellBatch)
	case answered >= p.batch:
		p.batch = min(p.batch*2, tellBatchMax)
	}
}

// rest leaves the endpoint alone, longer each time. Of what was under way together only the first counts.
func (p *pace) rest(refusal error) {
	now := p.clock.Now()
	if now.Before(p.until) {
		return
	}
	p.until = now.Add(min(restFirst<<min(p.rests, 10), restMost))
	p.batch = tellBatch
	if p.rests++; p.rests == restsWarned {
		p.log.Warn("an endpoint takes no events", "endpoint", p.endpoint, "error", refusal)
	}
}
