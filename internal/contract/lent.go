package contract

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// LentFixture is one Redis under test. Tests of several items may share it.
type LentFixture struct {
	Lent          seckill.Lent
	Announcements seckill.Announcements
	// Elsewhere is the same data as another server would serve it; nil where that takes more than a call.
	Elsewhere seckill.Lent
	// ForgetScripts makes the server forget the scripts it has seen; nil where other tests would notice.
	ForgetScripts func(t testing.TB)
}

// Lent is the behaviour of every seckill.Lent and seckill.Announcements. open is called once per test.
func Lent(t *testing.T, open func(t testing.TB) LentFixture) {
	t.Helper()
	for about, cases := range map[string][]lentCase{
		"reserve":       lentReserve(),
		"replay":        lentReplay(),
		"window":        lentWindow(),
		"bounds":        lentBounds(),
		"look":          lentLook(),
		"load":          lentLoad(),
		"gate":          lentGate(),
		"renew":         lentRenew(),
		"issue":         lentIssue(),
		"buyer":         lentBuyer(),
		"outbox":        lentOutbox(),
		"due":           lentDue(),
		"state":         lentState(),
		"expire":        lentExpire(),
		"announcements": lentAnnouncements(),
	} {
		for _, it := range cases {
			t.Run(about+" "+it.does, func(t *testing.T) {
				t.Parallel()
				it.test(t, lentOpener{open})
			})
		}
	}
}

type lentCase struct {
	does string
	test func(t *testing.T, o lentOpener)
}

// lentOpener opens fixtures and puts items into them.
type lentOpener struct {
	fixture func(t testing.TB) LentFixture
}

// lentItem is an item under test.
type lentItem struct {
	testing.TB
	LentFixture

	id     seckill.ID
	load   seckill.Load
	server seckill.Server
	ids    *atomic.Int64
}

const (
	lentGateFor   = time.Hour
	lentStock     = 10
	lentLimit     = 3
	lentEpoch     = 7
	lentFirst     = 4 // number of the first issue
	lentVersion   = 5
	lentPatience  = 10 * time.Second
	lentSomeKey   = "key-of-the-shopper"
	lentSomeOther = "another-key"
)

// fresh is an item that Redis has never heard of, with the load that would make it known.
func (o lentOpener) fresh(t testing.TB) *lentItem {
	t.Helper()
	// Ids above 2^53 show whether anybody takes them for numbers; random ones keep tests of one server apart.
	base := int64(1)<<61 + rand.Int64N(1<<60)
	i := &lentItem{TB: t, LentFixture: o.fixture(t), id: seckill.ID(base), ids: new(atomic.Int64)}
	i.ids.Store(base)
	i.server = i.now()
	i.load = seckill.Load{
		Item: i.id, Epoch: lentEpoch, Attempt: i.next(), Issue: lentFirst, Available: lentStock, Limit: lentLimit,
		OpensAt: i.server.Now.Add(-time.Hour).Truncate(time.Millisecond), ClosesAt: i.server.Now.Add(time.Hour).Truncate(time.Millisecond),
		Version: lentVersion,
	}
	return i
}

// open is an item that sells, after change.
func (o lentOpener) open(t testing.TB, change ...func(*seckill.Load)) *lentItem {
	t.Helper()
	i := o.fresh(t)
	for _, c := range change {
		c(&i.load)
	}
	i.must(i.Lent.Load(t.Context(), i.load))
	i.must(i.Lent.Open(t.Context(), i.gate()))
	return i
}

func (i *lentItem) next() seckill.ID { return seckill.ID(i.ids.Add(1)) }

func (i *lentItem) now() seckill.Server {
	i.Helper()
	server, err := i.Lent.Server(i.Context(), i.id)
	i.must(err)
	return server
}

func (i *lentItem) gate() seckill.Gate {
	return seckill.Gate{Item: i.id, Epoch: i.load.Epoch, Server: i.server, Until: i.server.Now.Add(lentGateFor)}
}

func (i *lentItem) renewal() seckill.Renewal {
	return seckill.Renewal{
		Gate: i.gate(), Version: i.load.Version, Paused: i.load.Paused,
		OpensAt: i.load.OpensAt, ClosesAt: i.load.ClosesAt, Limit: i.load.Limit,
	}
}

// renew applies settings that are newer than what meta has.
func (i *lentItem) renew(change func(*seckill.Renewal)) {
	i.Helper()
	i.load.Version++
	renewal := i.renewal()
	change(&renewal)
	i.must(i.Lent.Renew(i.Context(), renewal))
}

// reload begins the next epoch, opened.
func (i *lentItem) reload(change ...func(*seckill.Load)) {
	i.Helper()
	i.load.Epoch++
	i.load.Attempt = i.next()
	for _, c := range change {
		c(&i.load)
	}
	i.must(i.Lent.Load(i.Context(), i.load))
	i.must(i.Lent.Open(i.Context(), i.gate()))
}

// ask is a request with a key; without one when key is empty.
func (i *lentItem) ask(user string, quantity int64, key string) seckill.ReserveRequest {
	id := i.next()
	return seckill.ReserveRequest{ID: id, User: seckill.UserID(user), Quantity: quantity, KeyHash: seckill.KeyHash(key, id)}
}

// reserve is one call in a batch of its own.
func (i *lentItem) reserve(requests ...seckill.ReserveRequest) seckill.ReserveReply {
	i.Helper()
	reply, err := i.Lent.Reserve(i.Context(), i.id, i.next(), requests)
	i.must(err)
	if len(reply.Outcomes) != len(requests) {
		i.Fatalf("%d outcomes for %d requests", len(reply.Outcomes), len(requests))
	}
	return reply
}

// one reserves one request and expects the code.
func (i *lentItem) one(want seckill.ReserveCode, request seckill.ReserveRequest) seckill.ReserveOutcome {
	i.Helper()
	got := i.reserve(request).Outcomes[0]
	if got.Code != want {
		i.Fatalf("code %d, want %d: %+v", got.Code, want, got)
	}
	return got
}

func (i *lentItem) state() seckill.LentState {
	i.Helper()
	states, err := i.Lent.States(i.Context(), []seckill.ID{i.id})
	i.must(err)
	return states[0]
}

func (i *lentItem) outbox() []seckill.DueEntry {
	i.Helper()
	entries, err := i.Lent.Outbox(i.Context(), i.id, 0, 1000)
	i.must(err)
	return entries
}

func (i *lentItem) must(err error) {
	i.Helper()
	if err != nil {
		i.Fatal(err)
	}
}

func (i *lentItem) refused(err, want error) {
	i.Helper()
	if !errors.Is(err, want) {
		i.Fatalf("error %v, want %v", err, want)
	}
	if errors.Is(err, seckill.ErrUnavailable) {
		i.Errorf("%v counts as unavailable", err)
	}
}

// notLive expects reserve and look to refuse.
func (i *lentItem) notLive() {
	i.Helper()
	i.notLiveAt(i.Lent)
	if i.state().Live {
		i.Error("state says live, reserve does not")
	}
}

func (i *lentItem) notLiveAt(lent seckill.Lent) {
	i.Helper()
	_, err := lent.Reserve(i.Context(), i.id, i.next(), []seckill.ReserveRequest{i.ask("somebody", 1, "")})
	i.refused(err, seckill.ErrNotLive)
	_, err = lent.Look(i.Context(), i.id, []seckill.LookRequest{{User: "somebody", ID: i.next()}})
	i.refused(err, seckill.ErrNotLive)
}

// until polls with a deadline.
func (i *lentItem) until(what string, done func() bool) {
	i.Helper()
	for deadline := time.Now().Add(lentPatience); !done(); {
		if time.Now().After(deadline) {
			i.Fatalf("still not %s after %v", what, lentPatience)
		}
	}
}

// lentCodes are the codes of a reply, in order.
func lentCodes(reply seckill.ReserveReply) string {
	var out []seckill.ReserveCode
	for _, outcome := range reply.Outcomes {
		out = append(out, outcome.Code)
	}
	return fmt.Sprint(out)
}
