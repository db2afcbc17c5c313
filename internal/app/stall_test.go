package app_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/seckill-dev/seckill/api"
	"github.com/seckill-dev/seckill/internal/identity"
	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/testenv/fleet"
)

// stall is an item at home on a known shard, with somebody new who buys one unit every few milliseconds.
type stall struct {
	victim
	home   int
	item   seckill.ID
	tokens *identity.Tokens

	stop   chan struct{}
	buyers sync.WaitGroup
	*book
}

// book is what the shoppers of a stall heard.
type book struct {
	mu      sync.Mutex
	answers []answer
}

// answer is what one shopper heard, and when.
type answer struct {
	user   seckill.UserID
	key    string
	asked  time.Time
	took   time.Duration
	reason api.Reason // "" for queued
	id     seckill.ID
}

const (
	stallUnits  = 20_000
	buyersEvery = 25 * time.Millisecond
	// gateWithin is how long after a shard is gone its items may still be promised: the gate, and what was on its way.
	gateWithin = 2 * time.Second
	// answersWithin is how long a shopper may wait for busy; without load it is milliseconds.
	answersWithin = 2 * time.Second
	// shardSellsWithin is the bar for a shard that answers again.
	shardSellsWithin = 5 * time.Second
)

// openStall preloads a sale whose item lives on that shard, through the first api.
func (d *distributed) openStall(home int) *stall {
	d.t.Helper()
	s := &stall{victim: d.victim, home: home, tokens: d.tokens(), stop: make(chan struct{}), book: &book{}}
	for {
		s.create(stallUnits)
		id, err := seckill.ParseID(s.sale.Items[0].ID)
		if err != nil {
			d.t.Fatal(err)
		}
		if s.item = id; shardOf(id.Bucket()) == home {
			break
		}
	}
	if err := s.preload(); err != nil {
		d.t.Fatal(err)
	}
	s.awaitPurchase("first")
	s.buyers.Go(s.serve)
	d.t.Cleanup(s.close)
	return s
}

// shardOf is the shard of a bucket where there are two.
func shardOf(bucket int) int { return bucket * 2 / seckill.Buckets }

// serve lets buyers come until the stall is closed.
func (s *stall) serve() {
	tick := time.NewTicker(buyersEvery)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-s.stop:
			return
		case <-tick.C:
			s.buyers.Go(func() {
				s.note(s.buy(seckill.UserID(fmt.Sprintf("buyer-%d-%d", s.home, n)), fmt.Sprintf("purchase-%d", n)))
			})
		}
	}
}

func (b *book) note(a answer) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.answers = append(b.answers, a)
}

// close stops the buyers and waits for those who have asked.
func (s *stall) close() {
	select {
	case <-s.stop:
	default:
		close(s.stop)
	}
	s.buyers.Wait()
}

// buy asks once, for one unit.
func (s *stall) buy(user seckill.UserID, key string) answer {
	a := answer{user: user, key: key, asked: time.Now()}
	var told struct {
		ID     string     `json:"id"`
		Reason api.Reason `json:"reason"`
	}
	header := http.Header{"Content-Type": {"application/json"}, "Idempotency-Key": {key}}
	status := s.ask(user, http.MethodPost, "/v1/items/"+s.item.String()+"/reservations", `{"quantity":1}`, header, &told)
	a.took, a.reason = time.Since(a.asked), told.Reason
	if status == http.StatusAccepted {
		a.id, _ = seckill.ParseID(told.ID)
	} else if a.reason == "" {
		a.reason = api.Reason(fmt.Sprintf("status %d", status))
	}
	return a
}

// awaitPurchase has one shopper ask, with one key, until it is promised a unit; only that is noted.
func (s *stall) awaitPurchase(user seckill.UserID) {
	s.t.Helper()
	var last answer
	s.await("a unit for "+string(user), func() bool {
		last = s.buy(user, "purchase-of-"+string(user))
		return last.reason == ""
	})
	s.note(last)
}

// ask calls the stall's api as a shopper and returns the status, 0 without an answer.
func (s *stall) ask(user seckill.UserID, method, path, body string, header http.Header, told any) int {
	token, err := s.tokens.Mint(user, time.Hour)
	if err != nil {
		return 0
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second) // not the test's: buyers come through all of them
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, s.config.URL()+path, strings.NewReader(body))
	if err != nil {
		return 0
	}
	if header != nil {
		request.Header = header
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0
	}
	defer response.Body.Close()
	if json.NewDecoder(response.Body).Decode(told) != nil {
		return 0
	}
	return response.StatusCode
}

// status is how a reservation stands.
func (s *stall) status(a answer) api.ReservationStatus {
	var told api.Reservation
	s.ask(a.user, http.MethodGet, "/v1/items/"+s.item.String()+"/reservations/"+a.id.String(), "", nil, &told)
	return told.Status
}

// between are the answers to those who asked in that time.
func (b *book) between(from, to time.Time) []answer {
	b.mu.Lock()
	defer b.mu.Unlock()
	var some []answer
	for _, a := range b.answers {
		if a.asked.After(from) && a.asked.Before(to) {
			some = append(some, a)
		}
	}
	return some
}

// manySales take so long that all keepers and workers know the item.
const manySales = 60

// awaitSales waits until so many have bought since then.
func (s *stall) awaitSales(since time.Time, many int) {
	s.t.Helper()
	s.await("many buy", func() bool { return tally(s.between(since, time.Now()))[""] > many })
}

// tally counts reasons; queued is "".
func tally(answers []answer) map[api.Reason]int {
	counts := map[api.Reason]int{}
	for _, a := range answers {
		counts[a.reason]++
	}
	return counts
}

func (s *stall) await(what string, ok func() bool) {
	s.t.Helper()
	(&distributed{victim: s.victim}).await(what, ok)
}

// wantBusy holds what shoppers heard while the item's home shard was away: busy, and at once.
func (s *stall) wantBusy(from, to time.Time) {
	s.t.Helper()
	heard := s.between(from.Add(gateWithin), to)
	slow := slices.MaxFunc(heard, func(a, b answer) int { return int(a.took - b.took) })
	if counts := tally(heard); counts[api.Reason(seckill.Busy)] != len(heard) || slow.took > answersWithin {
		s.t.Errorf("shard %d away: heard %v, the slowest after %v", s.home, counts, slow.took)
	}
	last := from
	for _, a := range s.between(from, to) {
		if a.reason == "" && a.asked.After(last) {
			last = a.asked
		}
	}
	s.t.Logf("shard %d away: the last was promised %v after it was gone", s.home, last.Sub(from))
}

// wantSold holds that nobody noticed the other shard's absence. A few may hear busy anyway: on a machine that runs all of
// this at once a gate lapses now and then.
func (s *stall) wantSold(from, to time.Time) {
	s.t.Helper()
	heard := s.between(from, to)
	if counts := tally(heard); counts[""]*10 < len(heard)*9 {
		s.t.Errorf("shard %d has nothing to do with it, but its shoppers heard %v", s.home, counts)
	}
}

// wantSelling waits for the first promise after a moment.
func (s *stall) wantSelling(since time.Time) {
	s.t.Helper()
	var first answer
	s.await("sells again", func() bool {
		i := slices.IndexFunc(s.between(since, time.Now()), func(a answer) bool { return a.reason == "" })
		if i >= 0 {
			first = s.between(since, time.Now())[i]
		}
		return i >= 0
	})
	wantWithin(s.t, fmt.Sprintf("shard %d answered, sells again", s.home), first.asked.Add(first.took).Sub(since), shardSellsWithin)
}

// wantOrders holds, while a shard is away, that the orders of its users wait and those of all others do not.
func (s *stall) wantOrders(from time.Time, away int) {
	s.t.Helper()
	seen := map[bool]bool{}
	for _, a := range s.between(from, time.Now()) {
		waits := shardOf(a.user.Bucket()) == away
		if a.reason != "" || seen[waits] {
			continue
		}
		seen[waits] = true
		if waits {
			s.wantWaiting(a)
			continue
		}
		s.await("the order of a user on the other shard", func() bool { return s.status(a) == api.ReservationStatusOrdered })
	}
	if len(seen) != 2 {
		s.t.Errorf("bought while shard %d was away: %v", away, seen)
	}
}

// wantWaiting: the purchase stands, the order is to come, and the list of orders says busy rather than leaving it out.
func (s *stall) wantWaiting(a answer) {
	s.t.Helper()
	if status := s.status(a); status != api.ReservationStatusQueued {
		s.t.Errorf("a purchase whose order cannot be written is %q", status)
	}
	var problem api.Problem
	if s.ask(a.user, http.MethodGet, "/v1/orders", "", nil, &problem); problem.Reason != api.Reason(seckill.Busy) {
		s.t.Errorf("the list of orders says %+v", problem)
	}
}

// addsUp closes the stall: every promise is an order, every unit that is claimed was promised or its outcome left open,
// and the audit finds nothing.
func (s *stall) addsUp() {
	s.t.Helper()
	s.close()
	all := s.between(time.Time{}, time.Now())
	counts := tally(all)
	promised := int64(counts[""])
	unsure := int64(len(all)) - promised - int64(counts[api.Reason(seckill.Busy)])
	s.awaitOrders(all)
	var sold int64
	s.await("all is claimed", func() bool { sold = s.sold(); return sold >= promised })
	if sold > promised+unsure {
		s.t.Errorf("%d units are sold, %d were promised, %d left open", sold, promised, unsure)
	}
	var audit api.AuditReport
	if err := s.operate(http.MethodGet, "/admin/v1/sales/"+s.sale.ID+"/audit", struct{}{}, &audit); err != nil || len(audit.Findings) > 0 {
		s.t.Errorf("audit: %+v, %v", audit.Findings, err)
	}
	s.t.Logf("shard %d: heard %v", s.home, counts)
}

// awaitOrders waits until every promise is an order; a few shoppers look at once.
func (s *stall) awaitOrders(answers []answer) {
	s.t.Helper()
	var looking errgroup.Group
	looking.SetLimit(16)
	for _, a := range answers {
		if a.reason != "" {
			continue
		}
		looking.Go(func() error {
			for late := time.After(patience); s.status(a) != api.ReservationStatusOrdered; {
				select {
				case <-time.After(100 * time.Millisecond):
				case <-late:
					return fmt.Errorf("reservation %s of %s was promised and is %q", a.id, a.user, s.status(a))
				}
			}
			return nil
		})
	}
	if err := looking.Wait(); err != nil {
		s.t.Error(err)
	}
}

// through is the same stall at another api.
func (s *stall) through(node *fleet.Node) *stall {
	other := &stall{victim: s.victim, home: s.home, item: s.item, tokens: s.tokens, book: s.book}
	other.config.Listen = node.Listen
	return other
}
