package drill

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seckill-dev/seckill/api"
)

const (
	// probeEvery is how often each probe tries to buy; recovery times are no finer.
	probeEvery = 300 * time.Millisecond
	// probeWithin bounds one purchase.
	probeWithin = 3 * time.Second
	// probeLooks is how often a probe looks after what it was promised, at most, decideWithin until when.
	probeWait    = "4s"
	probeLook    = 6 * time.Second
	decideWithin = 4 * time.Minute
	probeAgain   = 100 * time.Millisecond
)

// probes buy one unit each, at each door, of an item in each shard, all the time.
type probes struct {
	stage  *stage
	ledger *ledger
	http   *http.Client
	name   string
	number atomic.Int64
	buying sync.WaitGroup
	asking sync.WaitGroup

	mu sync.Mutex
	// tries are what each probe has bought, by its own number: when it asked, and when that was answered.
	tries [][]span
	// open are the promises that are no orders yet, by reservation: when they were asked for.
	open map[string]time.Time
	// ordered are promises that became orders, as they did.
	ordered  []span
	findings []Finding
}

// span is one purchase that succeeded.
type span struct{ asked, answered time.Time }

func newProbes(s *stage, l *ledger, name string) *probes {
	transport := &http.Transport{
		DialContext: (&net.Dialer{Timeout: time.Second}).DialContext, MaxIdleConnsPerHost: 64, IdleConnTimeout: 10 * time.Second,
	}
	return &probes{stage: s, ledger: l, name: name, http: &http.Client{Transport: transport}, open: make(map[string]time.Time)}
}

// start sends a probe to each door for each item. They go on until ctx ends, and see to what they were promised until waiting does.
func (p *probes) start(ctx, waiting context.Context, items []string) {
	p.tries = make([][]span, len(p.stage.doors)*len(items))
	for i := range p.tries {
		through, item := p.stage.doors[i/len(items)], items[i%len(items)]
		p.buying.Go(func() { p.probe(ctx, waiting, i, through, item) })
	}
}

func (p *probes) probe(ctx, waiting context.Context, number int, through door, item string) {
	turn := time.NewTicker(probeEvery)
	defer turn.Stop()
	for {
		select {
		case <-turn.C:
			p.buy(ctx, waiting, number, through, item)
		case <-ctx.Done():
			return
		}
	}
}

// buy tries once, as somebody new.
func (p *probes) buy(ctx, waiting context.Context, number int, through door, item string) {
	user := fmt.Sprintf("%s-probe-%d", p.name, p.number.Add(1))
	asked := time.Now()
	var receipt api.Receipt
	status, problem := p.call(ctx, probeWithin, user, http.MethodPost, through.url+"/v1/items/"+item+"/reservations",
		api.ReserveRequest{Quantity: 1}, &receipt)
	e := entry{User: user, Quantity: 1, Detail: through.name}
	switch {
	case status == http.StatusAccepted && receipt.ID != "":
		e.Answer, e.Reservation = answerQueued, receipt.ID
		p.bought(number, asked, receipt.ID)
		p.asking.Go(func() { p.look(waiting, user, item, receipt.ID) })
	case status == 0:
		e.Answer = "lost"
	default:
		e.Answer, e.Reason, e.Reservation = "refused", problem.Reason, problem.ReservationID
		p.refused(e, status)
	}
	p.ledger.note(e)
}

// refused takes every refusal for false but those of a moment: there are units enough, and who asks is new.
func (p *probes) refused(e entry, status int) {
	if slices.Contains([]api.Reason{api.ReasonBusy, api.ReasonUnknownOutcome, api.ReasonRateLimited}, e.Reason) {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.findings = append(p.findings, findingf(falselyTold, e.User, e.Reservation, "%s told a probe %d %s", e.Detail, status, e.Reason))
}

func (p *probes) bought(number int, asked time.Time, reservation string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tries[number] = append(p.tries[number], span{asked, time.Now()})
	p.open[reservation] = asked
}

// look sees to what was promised until it is decided. What is not yet when waiting ends may be later.
func (p *probes) look(waiting context.Context, user, item, reservation string) {
	ctx, cancel := context.WithTimeout(waiting, decideWithin)
	defer cancel()
	for n := 0; ctx.Err() == nil; n++ {
		through := p.stage.doors[n%len(p.stage.doors)]
		var found api.Reservation
		status, problem := p.call(ctx, probeLook, user, http.MethodGet,
			through.url+"/v1/items/"+item+"/reservations/"+reservation+"?wait="+probeWait, nil, &found)
		switch {
		case status == http.StatusOK && found.Status == api.ReservationStatusOrdered:
			p.decide(entry{User: user, Answer: string(found.Status), Reservation: reservation}, "")
			return
		case status == http.StatusOK && found.Status == api.ReservationStatusRejected:
			p.decide(entry{User: user, Answer: answerRejected, Reason: found.Reason, Reservation: reservation}, refusedAfter)
			return
		case problem.Reason == api.ReasonNotFound:
			p.decide(entry{User: user, Answer: "not found", Reservation: reservation}, lost)
			return
		case status == http.StatusOK:
			continue // it has waited
		}
		select {
		case <-time.After(probeAgain):
		case <-ctx.Done():
		}
	}
	if waiting.Err() == nil {
		p.decide(entry{User: user, Answer: "undecided", Reservation: reservation}, undecided)
	}
}

func (p *probes) decide(e entry, problem string) {
	p.ledger.note(e)
	p.mu.Lock()
	defer p.mu.Unlock()
	asked := p.open[e.Reservation]
	delete(p.open, e.Reservation)
	if problem == "" {
		p.ordered = append(p.ordered, span{asked, time.Now()})
		return
	}
	p.findings = append(p.findings, Finding{Kind: problem, User: e.User, Reservation: e.Reservation, Detail: fmt.Sprintf(
		"a probe was told queued, and then %s %s", e.Answer, e.Reason)})
}

// over waits until the system has got over a fault, and says how long that took; never if ctx ends before.
func (p *probes) over(ctx context.Context, from time.Time) recovered {
	struck := time.Now()
	after := recovered{never, never, never}
	turn := time.NewTicker(probeEvery / 4)
	defer turn.Stop()
	for !after.isWhole() {
		select {
		case <-turn.C:
		case <-ctx.Done():
			return after
		}
		if after.sells == never {
			after.sells = p.sellsSince(from)
		}
		if after.orders == never {
			after.orders = p.ordersSince(from)
		}
		if after.caughtUp == never && p.keptBefore(struck) {
			after.caughtUp = max(0, time.Since(from))
		}
	}
	return after
}

// ordersSince is when the first purchase that was asked for after that moment was an order.
func (p *probes) ordersSince(from time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := len(p.ordered) - 1; i >= 0; i-- {
		if p.ordered[i].answered.Before(from) { // whatever comes before was an order earlier
			p.ordered = p.ordered[i+1:]
			break
		}
	}
	for _, bought := range p.ordered {
		if bought.asked.After(from) {
			return bought.answered.Sub(from)
		}
	}
	return never
}

// sellsSince is when the last probe bought something that it asked for after that moment.
func (p *probes) sellsSince(from time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	var longest time.Duration
	for _, bought := range p.tries {
		// The first one that was asked for after: purchases of one probe follow each other.
		first, _ := slices.BinarySearchFunc(bought, from, func(s span, t time.Time) int { return s.asked.Compare(t) })
		if first == len(bought) {
			return never
		}
		longest = max(longest, bought[first].answered.Sub(from))
	}
	return longest
}

// keptBefore says that everything that was asked for before, and promised, is decided.
func (p *probes) keptBefore(moment time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, asked := range p.open {
		if asked.Before(moment) {
			return false
		}
	}
	return true
}

// finish waits for what was promised, after the ctx of start has ended, and until its waiting has.
func (p *probes) finish() []Finding {
	p.buying.Wait()
	p.asking.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.findings
}

// call is one request of a shopper. Status 0 means that no answer came.
func (p *probes) call(ctx context.Context, within time.Duration, user, method, url string, body, answer any) (int, api.Problem) {
	var problem api.Problem
	token, err := p.stage.keys.Mint(user)
	if err != nil {
		return 0, problem
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	text, err := json.Marshal(body)
	if err != nil {
		return 0, problem
	}
	request, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(text))
	if err != nil {
		return 0, problem
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/json")
	response, err := p.http.Do(request)
	if err != nil {
		return 0, problem
	}
	defer response.Body.Close()
	if response.StatusCode >= http.StatusBadRequest {
		answer = &problem
	}
	if json.NewDecoder(response.Body).Decode(answer) != nil {
		return 0, problem
	}
	return response.StatusCode, problem
}
