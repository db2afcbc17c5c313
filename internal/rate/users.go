package rate

import (
	"hash/maphash"
	"sync"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const parts = 16

// Users bounds how often each user may come. A bucket is one number, the time by which it will be full again (GCRA), and
// it is kept in two generations: when the young one has grown to its share, it becomes the old one and what was not seen
// since is forgotten. So memory is bounded without a list, a sweep or a timer, which x/time/rate and an LRU map would
// need; forgetting a user only means a full bucket again.
type Users struct {
	each  time.Duration // coming once costs that much time; 0: no bound
	burst time.Duration
	seed  maphash.Seed
	parts [parts]part
}

type part struct {
	mu         sync.Mutex
	young, old map[seckill.UserID]time.Time
	max        int
}

// NewUsers lets each user come so often per second, and burst times at once; a rate that is not above 0 is no bound. At most
// usersMax users are remembered.
func NewUsers(perSecond float64, burst, usersMax int) *Users {
	u := &Users{seed: maphash.MakeSeed()}
	if perSecond > 0 {
		u.each = time.Duration(float64(time.Second) / perSecond)
		u.burst = u.each * time.Duration(burst)
	}
	for i := range u.parts {
		u.parts[i].young = map[seckill.UserID]time.Time{}
		u.parts[i].max = max(1, usersMax/(2*parts))
	}
	return u
}

// Take takes a token, or says how long until there is one.
func (u *Users) Take(user seckill.UserID, now time.Time) time.Duration {
	if u.each == 0 {
		return 0
	}
	p := &u.parts[maphash.String(u.seed, string(user))%parts]
	p.mu.Lock()
	defer p.mu.Unlock()
	full := p.of(user)
	if full.Before(now) {
		full = now
	}
	full = full.Add(u.each)
	if over := full.Sub(now) - u.burst; over > 0 {
		return over
	}
	p.keep(user, full)
	return 0
}

func (p *part) of(user seckill.UserID) time.Time {
	if full, ok := p.young[user]; ok {
		return full
	}
	return p.old[user]
}

func (p *part) keep(user seckill.UserID, full time.Time) {
	if _, known := p.young[user]; !known && len(p.young) >= p.max {
		p.old, p.young = p.young, make(map[seckill.UserID]time.Time, p.max)
	}
	p.young[user] = full
}
