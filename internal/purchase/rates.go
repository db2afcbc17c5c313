package purchase

import (
	"hash/maphash"
	"sync"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const rateParts = 16

// rates bounds how often each user may buy. A bucket is one number, the time by which it will be full again (GCRA), and
// it is kept in two generations: when the young one has grown to its share, it becomes the old one and what was not seen
// since is forgotten. So memory is bounded without a list, a sweep or a timer, which x/time/rate and an LRU map would
// need; forgetting a user only means a full bucket again.
type rates struct {
	each  time.Duration // one purchase costs that much time; 0: no bound
	burst time.Duration
	seed  maphash.Seed
	parts [rateParts]ratePart
}

type ratePart struct {
	mu         sync.Mutex
	young, old map[seckill.UserID]time.Time
	max        int
}

func newRates(perSecond float64, burst, usersMax int) *rates {
	r := &rates{seed: maphash.MakeSeed()}
	if perSecond > 0 {
		r.each = time.Duration(float64(time.Second) / perSecond)
		r.burst = r.each * time.Duration(burst)
	}
	for i := range r.parts {
		r.parts[i].young = map[seckill.UserID]time.Time{}
		r.parts[i].max = max(1, usersMax/(2*rateParts))
	}
	return r
}

// take takes a token, or says how long until there is one.
func (r *rates) take(user seckill.UserID, now time.Time) time.Duration {
	if r.each == 0 {
		return 0
	}
	p := &r.parts[maphash.String(r.seed, string(user))%rateParts]
	p.mu.Lock()
	defer p.mu.Unlock()
	full := p.of(user)
	if full.Before(now) {
		full = now
	}
	full = full.Add(r.each)
	if over := full.Sub(now) - r.burst; over > 0 {
		return over
	}
	p.keep(user, full)
	return 0
}

func (p *ratePart) of(user seckill.UserID) time.Time {
	if full, ok := p.young[user]; ok {
		return full
	}
	return p.old[user]
}

func (p *ratePart) keep(user seckill.UserID, full time.Time) {
	if _, known := p.young[user]; !known && len(p.young) >= p.max {
		p.old, p.young = p.young, make(map[seckill.UserID]time.Time, p.max)
	}
	p.young[user] = full
}
