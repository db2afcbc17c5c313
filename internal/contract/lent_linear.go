package contract

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	linearCallers   = 6
	linearCalls     = 40 // of each caller
	linearHistories = 6
	linearRequests  = 36 // that callers draw from, so that they meet
	// linearPatience bounds the search for an order; it takes milliseconds.
	linearPatience = 30 * time.Second
)

// LentLinear records what callers hear who all work on one item at once, and wants an order of their calls in which one
// after the other would have heard just that. Nobody may hear of anything later than it happened.
func LentLinear(t *testing.T, open func(t testing.TB) LentFixture) {
	t.Helper()
	for range linearHistories {
		seed := rand.Uint64()
		t.Run(fmt.Sprintf("hears what some order explains, seed %d", seed), func(t *testing.T) {
			t.Parallel()
			history := lentHistory(t, lentOpener{open}, seed, nil)
			if is := porcupine.CheckOperationsTimeout(lentLinearModel(), history, linearPatience); is != porcupine.Ok {
				t.Errorf("no order explains these answers (%s):\n%s", is, lentTranscript(history))
			}
		})
	}
}

// LentLinearFinds wants the same search to refuse what several kinds of broken Redis would answer.
func LentLinearFinds(t *testing.T, open func(t testing.TB) LentFixture) {
	t.Helper()
	for mistake, make := range lentMistakes() {
		t.Run("refuses a Redis that "+mistake, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(linearHistories) {
				history := lentHistory(t, lentOpener{open}, seed, make)
				if porcupine.CheckOperationsTimeout(lentLinearModel(), history, linearPatience) == porcupine.Illegal {
					return
				}
			}
			t.Errorf("some order explains each of %d histories", linearHistories)
		})
	}
}

// lentHistory lets callers loose on a new item, which breaks as it is told to.
func lentHistory(t *testing.T, o lentOpener, seed uint64, broken func(seckill.Lent) seckill.Lent) []porcupine.Operation {
	t.Helper()
	i := o.open(t)
	if broken != nil {
		i.Lent = broken(i.Lent)
	}
	requests := i.linearRequests(rand.New(rand.NewPCG(seed, linearCallers)))
	var working sync.WaitGroup
	start, began := make(chan struct{}), time.Now()
	histories := make([][]porcupine.Operation, linearCallers)
	for caller := range histories {
		random := rand.New(rand.NewPCG(seed, uint64(caller)))
		working.Go(func() {
			<-start
			for range linearCalls {
				call := i.linearCall(random, requests)
				called := time.Since(began)
				heard, err := call.do(i)
				if err != nil {
					t.Errorf("%+v: %v", call, err)
					return
				}
				histories[caller] = append(histories[caller], porcupine.Operation{
					ClientId: caller, Input: call, Call: called.Nanoseconds(), Output: heard, Return: time.Since(began).Nanoseconds(),
				})
			}
		})
	}
	close(start)
	working.Wait()
	return slices.Concat(histories...)
}

// linearRequests are of few users and keys.
func (i *lentItem) linearRequests(random *rand.Rand) []seckill.ReserveRequest {
	requests := make([]seckill.ReserveRequest, linearRequests)
	for n := range requests {
		user := []string{"ann", "bob", "cat", "dan", "eve", "fay"}[random.IntN(6)]
		key := []string{"", "", "k1", "k2", "k3"}[random.IntN(5)]
		requests[n] = i.ask(user, 1+random.Int64N(2), key)
	}
	return requests
}

// linearCall draws one call.
func (i *lentItem) linearCall(random *rand.Rand, requests []seckill.ReserveRequest) lentCall {
	some := func() seckill.ReserveRequest { return requests[random.IntN(len(requests))] }
	switch random.IntN(12) {
	case 0, 1:
		return lentLookCall{some()}
	case 2, 3:
		return lentStateCall{}
	case 4:
		return lentIssueCall{number: lentFirst + random.Int64N(5), units: 2}
	case 5:
		return lentBackCall{some(), random.Int64N(2)}
	case 6:
		return lentAdjustCall{version: lentVersion + random.Int64N(9), limit: lentLimit + random.Int64N(2), paused: random.IntN(4) == 0}
	default:
		call := lentReserveCall{batch: i.next()}
		for range 1 + random.IntN(3) {
			call.requests = append(call.requests, some())
		}
		return call
	}
}

func lentLinearModel() porcupine.Model {
	return porcupine.Model{
		Init: func() any {
			return lentModel{
				available: lentStock, issue: lentFirst, version: lentVersion, limit: lentLimit,
				held: map[seckill.UserID][]seckill.BuyerEntry{},
			}
		},
		Step: func(state, input, output any) (bool, any) {
			call, isCall := input.(lentCall)
			m, isModel := state.(lentModel)
			if !isCall || !isModel {
				return false, state
			}
			want, next := call.expect(m)
			return want == output, next
		},
		Equal: func(one, other any) bool {
			a, isModel := one.(lentModel)
			b, isToo := other.(lentModel)
			return isModel && isToo && a.equal(b)
		},
	}
}

// lentTranscript is a history in the order of its calls.
func lentTranscript(history []porcupine.Operation) string {
	sorted := slices.SortedFunc(slices.Values(history), func(a, b porcupine.Operation) int { return int(a.Call - b.Call) })
	var text []byte
	for _, o := range sorted {
		text = fmt.Appendf(text, "%d: %d-%d %T%+v: %v\n", o.ClientId, o.Call, o.Return, o.Input, o.Input, o.Output)
	}
	return string(text)
}

// lentMistakes are what a Redis may do that is not the item as its callers are promised it.
func lentMistakes() map[string]func(seckill.Lent) seckill.Lent {
	return map[string]func(seckill.Lent) seckill.Lent{
		"shows states that are over":     func(lent seckill.Lent) seckill.Lent { return &staleLent{Lent: lent} },
		"forgets what was given back":    func(lent seckill.Lent) seckill.Lent { return forgetfulLent{lent} },
		"lends an issue twice":           func(lent seckill.Lent) seckill.Lent { return doublingLent{lent} },
		"reserves twice for a lost call": func(lent seckill.Lent) seckill.Lent { return retryingLent{lent} },
		"stays sold out for good":        func(lent seckill.Lent) seckill.Lent { return &flaggedLent{Lent: lent} },
	}
}

// staleLent answers every state but the first with the one before it, as a replica does.
type staleLent struct {
	seckill.Lent

	mu     sync.Mutex
	before []seckill.LentState
}

func (l *staleLent) States(ctx context.Context, items []seckill.ID) ([]seckill.LentState, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now, err := l.Lent.States(ctx, items)
	shown := l.before
	l.before = now
	if shown == nil {
		shown = now
	}
	return shown, err
}

// forgetfulLent says that it has taken things back.
type forgetfulLent struct{ seckill.Lent }

func (forgetfulLent) SetBuyer(context.Context, seckill.ID, int64, seckill.UserID, seckill.BuyerEntry) (seckill.BuyerOutcome, error) {
	return seckill.BuyerApplied, nil
}

// doublingLent adds the units of an issue twice.
type doublingLent struct{ seckill.Lent }

func (l doublingLent) Issue(ctx context.Context, move seckill.Move) (bool, error) {
	move.Units *= 2
	return l.Lent.Issue(ctx, move)
}

// retryingLent loses a reply and asks again, under the same ids, as a client library would.
type retryingLent struct{ seckill.Lent }

func (l retryingLent) Reserve(ctx context.Context, item, batch seckill.ID, requests []seckill.ReserveRequest) (seckill.ReserveReply, error) {
	if _, err := l.Lent.Reserve(ctx, item, batch, requests); err != nil {
		return seckill.ReserveReply{}, err
	}
	return l.Lent.Reserve(ctx, item, batch+linearRequests<<32, requests)
}

// flaggedLent remembers that an item was sold out, and asks no more.
type flaggedLent struct {
	seckill.Lent

	mu      sync.Mutex
	soldOut *seckill.ReserveReply
}

func (l *flaggedLent) Reserve(ctx context.Context, item, batch seckill.ID, requests []seckill.ReserveRequest) (seckill.ReserveReply, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.soldOut != nil {
		reply := seckill.ReserveReply{Sold: l.soldOut.Sold}
		for _, r := range requests {
			reply.Outcomes = append(reply.Outcomes, seckill.ReserveOutcome{Code: seckill.ReserveSoldOut, ID: r.ID, Quantity: r.Quantity, Batch: batch})
		}
		return reply, nil
	}
	reply, err := l.Lent.Reserve(ctx, item, batch, requests)
	if err == nil && reply.Available == 0 {
		l.soldOut = &reply
	}
	return reply, err
}
