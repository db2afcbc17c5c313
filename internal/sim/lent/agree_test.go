package lent_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"pgregory.net/rapid"

	"github.com/seckill-dev/seckill/internal/handclock"
	"github.com/seckill-dev/seckill/internal/redis"
	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sim/lent"
)

// TestAgreesToTheMillisecond runs the same random commands against the scripts and the model, on one clock that only the
// test moves: unlike between two real clocks, every moment, order and edge has to be the same.
func TestAgreesToTheMillisecond(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	server.ClockTTL(true)
	rapid.Check(t, func(rt *rapid.T) {
		s := newStream(t, rt, server)
		defer s.close()
		s.same("reopen", s.reopen())
		for range rapid.IntRange(10, 80).Draw(rt, "length") {
			s.step()
		}
	})
}

// stream draws commands for one item, from few users, keys and numbers, so that they meet.
type stream struct {
	*rapid.T

	ctx     context.Context
	clock   *handclock.Clock
	model   *lent.Redis
	client  *lent.Client
	server  *miniredis.Miniredis
	scripts *redis.Lent

	last     seckill.ID
	epoch    int64
	version  int64
	requests []seckill.ReserveRequest
	batches  []seckill.ID
	attempts []seckill.ID
}

// agreeBase has ids of one digit more follow soon, because sorted sets sort text.
const agreeBase = seckill.ID(999_999_999_999_999_980)

func newStream(t *testing.T, rt *rapid.T, server *miniredis.Miniredis) *stream {
	t.Helper()
	s := &stream{T: rt, ctx: t.Context(), clock: handclock.New(), server: server, last: agreeBase, attempts: []seckill.ID{1, 2}}
	server.FlushAll()
	s.model = lent.New(s.clock)
	s.client = s.model.Client()
	s.pass(0)
	s.connect()
	return s
}

// connect has the scripts believe that they run on the server that the model says it is.
func (s *stream) connect() {
	s.close()
	me := s.me()
	var err error
	s.scripts, err = redis.OpenLent(redis.Options{
		Addresses: []string{s.server.Addr()}, CallTimeout: 10 * time.Second,
		FixedIdentity: redis.Identity{RunID: me.RunID, ReplicationID: me.ReplicationID},
	})
	s.must(err)
}

func (s *stream) close() {
	if s.scripts != nil {
		s.must(s.scripts.Close())
	}
}

func (s *stream) must(err error) {
	if err != nil {
		s.Fatal(err)
	}
}

func (s *stream) me() seckill.Server {
	server, err := s.client.Server(s.ctx, agreeBase)
	s.must(err)
	return server
}

// pass moves both clocks. The model's must not be behind when the test begins anew.
func (s *stream) pass(d time.Duration) {
	s.clock.Advance(d)
	s.server.SetTime(s.clock.Now())
}

// same holds one side's answer against the other's.
func (s *stream) same(what string, do func(seckill.Lent) string) {
	got, want := do(s.client), do(s.scripts)
	s.Logf("%v %s: %s", s.clock.Now().Format("15:04:05.000000"), what, want)
	if got != want {
		s.Fatalf("the model says\n%s", got)
	}
}

// step carries out one command, or lets something happen.
func (s *stream) step() {
	commands := map[string]func() func(seckill.Lent) string{
		"reserve": s.reserve, "look": s.look, "buyer": s.buyer, "sent": s.sent, "settled": s.settled, "due": s.due,
		"outbox": s.outbox, "buyers": s.loadBuyers, "load": s.load, "open": s.open, "renew": s.renew, "issue": s.issue,
		"state": s.state, "expire": s.expire, "reopen": s.reopen,
	}
	names := []string{
		"reserve", "reserve", "reserve", "reserve", "look", "buyer", "buyer", "sent", "settled", "due", "due", "outbox", "renew",
		"renew", "issue", "state", "pass", "pass", "buyers", "load", "open", "expire", "reopen", "promote", "wipe",
	}
	switch name := rapid.SampledFrom(names).Draw(s.T, "command"); name {
	case "pass":
		s.pass(rapid.SampledFrom([]time.Duration{
			2004 * time.Microsecond, 2 * time.Millisecond, 10 * time.Millisecond, 40 * time.Millisecond, 2 * time.Second, 11 * time.Minute, 61 * time.Minute,
		}).Draw(s.T, "pass"))
	case "promote":
		s.model.Failover(lent.Loss{Gates: true})
		s.connect()
	case "wipe":
		if rapid.IntRange(0, 3).Draw(s.T, "really") == 0 {
			s.model.Wipe()
			s.server.FlushAll()
		}
	default:
		s.same(name, commands[name]())
	}
	s.same("state", s.state())
}

func (s *stream) next() seckill.ID { s.last++; return s.last }

func (s *stream) flip(what string, of int) bool { return rapid.IntRange(1, of).Draw(s.T, what) == of }

func (s *stream) number(what string, from, to int64) int64 {
	return rapid.Int64Range(from, to).Draw(s.T, what)
}

// near is a moment before or after now, or exactly now.
func (s *stream) near(what string) time.Time {
	return s.clock.Now().Add(rapid.SampledFrom([]time.Duration{
		-time.Hour, -time.Millisecond, 0, time.Microsecond, 2 * time.Millisecond, 40 * time.Millisecond, time.Hour, time.Hour, 100 * time.Hour,
	}).Draw(s.T, what))
}

func (s *stream) user() seckill.UserID {
	return rapid.SampledFrom([]seckill.UserID{"ann", "bob", "cat@x-y.z"}).Draw(s.T, "user")
}

func (s *stream) request() seckill.ReserveRequest {
	if len(s.requests) > 0 && s.flip("repeat", 2) {
		return rapid.SampledFrom(s.requests[max(0, len(s.requests)-6):]).Draw(s.T, "request")
	}
	id := s.next()
	key := rapid.SampledFrom([]string{"", "", "k1", "k2", "k3"}).Draw(s.T, "key")
	request := seckill.ReserveRequest{ID: id, User: s.user(), KeyHash: seckill.KeyHash(key, id), Quantity: s.number("quantity", 1, 4)}
	s.requests = append(s.requests, request)
	return request
}

func (s *stream) batch() seckill.ID {
	if len(s.batches) > 0 && s.flip("same batch", 8) {
		return rapid.SampledFrom(s.batches).Draw(s.T, "batch")
	}
	s.batches = append(s.batches, s.next())
	return s.last
}

func (s *stream) someBatches() []seckill.ID {
	if len(s.batches) == 0 {
		return nil
	}
	return rapid.SliceOfN(rapid.SampledFrom(s.batches), 0, 4).Draw(s.T, "batches")
}

func (s *stream) reserve() func(seckill.Lent) string {
	requests := make([]seckill.ReserveRequest, rapid.IntRange(1, 6).Draw(s.T, "requests"))
	for n := range requests {
		requests[n] = s.request()
	}
	batch := s.batch()
	return func(l seckill.Lent) string {
		reply, err := l.Reserve(s.ctx, agreeBase, batch, requests)
		return fmt.Sprintf("%d: %+v own %s, unsent %s, %v", batch, reply.Outcomes, reply.Own.Bytes, bodies(reply.Unsent), err) +
			fmt.Sprint(reply.Epoch, reply.Sold, reply.Available, reply.Now)
	}
}

func bodies(all []seckill.Body) (texts []string) {
	for _, body := range all {
		texts = append(texts, fmt.Sprintf("%d:%s", body.Batch, body.Bytes))
	}
	return texts
}

func (s *stream) look() func(seckill.Lent) string {
	request, user := s.request(), s.user()
	return func(l seckill.Lent) string {
		answers, err := l.Look(s.ctx, agreeBase, []seckill.LookRequest{
			{User: request.User, ID: request.ID},
			{User: request.User, KeyHash: request.KeyHash},
			{User: user, ID: request.ID, KeyHash: request.KeyHash},
			{User: user},
		})
		return fmt.Sprintf("%+v, %v", answers, err)
	}
}

func (s *stream) entry() seckill.BuyerEntry {
	request := s.request()
	entry := seckill.BuyerEntry{ID: request.ID, KeyHash: request.KeyHash, Quantity: max(0, s.number("entry", -2, 3))}
	if s.flip("with batch", 3) {
		entry.Batch = s.batch()
	}
	return entry
}

func (s *stream) buyer() func(seckill.Lent) string {
	user, epoch, entry := s.user(), s.epoch+s.number("epoch", -1, 1), s.entry()
	if request := s.request(); !s.flip("anybody", 4) {
		user, entry.ID, entry.KeyHash = request.User, request.ID, request.KeyHash
	}
	return func(l seckill.Lent) string {
		outcome, err := l.SetBuyer(s.ctx, agreeBase, epoch, user, entry)
		return fmt.Sprintf("%s %+v: %d, %v", user, entry, outcome, err)
	}
}

func (s *stream) sent() func(seckill.Lent) string {
	batches := s.someBatches()
	return func(l seckill.Lent) string { return fmt.Sprint(batches, l.Sent(s.ctx, agreeBase, batches)) }
}

func (s *stream) settled() func(seckill.Lent) string {
	batches := s.someBatches()
	return func(l seckill.Lent) string { return fmt.Sprint(batches, l.Settled(s.ctx, agreeBase, batches)) }
}

func (s *stream) due() func(seckill.Lent) string {
	ages := rapid.SampledFrom([]time.Duration{0, time.Microsecond, 2 * time.Millisecond, 2 * time.Second})
	query := seckill.DueQuery{
		UnsentFor: ages.Draw(s.T, "unsent"), UnsettledFor: ages.Draw(s.T, "unsettled"), SlowFor: ages.Draw(s.T, "slow"),
		TriesMax: int(s.number("tries", 0, 3)), Max: int(s.number("max", 0, 4)),
	}
	return func(l seckill.Lent) string {
		entries, err := l.Due(s.ctx, agreeBase, query)
		return fmt.Sprintf("%+v: %s, %v", query, owed(entries), err)
	}
}

func (s *stream) outbox() func(seckill.Lent) string {
	offset, limit := int(s.number("offset", 0, 5)), int(s.number("limit", 0, 5))
	return func(l seckill.Lent) string {
		entries, err := l.Outbox(s.ctx, agreeBase, offset, limit)
		return fmt.Sprintf("%d at %d: %s, %v", limit, offset, owed(entries), err)
	}
}

func owed(entries []seckill.DueEntry) (texts []string) {
	for _, e := range entries {
		texts = append(texts, fmt.Sprintf("%d:%s unsent %v tries %d", e.Batch, e.Bytes, e.Unsent, e.Tries))
	}
	return texts
}

func (s *stream) loadBuyers() func(seckill.Lent) string {
	epoch, attempt := s.epoch+s.number("epoch", 0, 1), rapid.SampledFrom(s.attempts).Draw(s.T, "attempt")
	all := make([]seckill.Buyer, s.number("buyers", 0, 2))
	for n := range all {
		all[n].User = s.user()
		for range s.number("entries", 1, 3) {
			all[n].Entries = append(all[n].Entries, s.entry())
		}
	}
	return func(l seckill.Lent) string {
		return fmt.Sprintf("%d %d %+v: %v", epoch, attempt, all, l.LoadBuyers(s.ctx, agreeBase, epoch, attempt, all))
	}
}

func (s *stream) load() func(seckill.Lent) string {
	s.epoch += s.number("step", 0, 1)
	load := seckill.Load{
		Item: agreeBase, Epoch: s.epoch, Attempt: rapid.SampledFrom(s.attempts).Draw(s.T, "attempt"), Issue: s.number("issue", 1, 3),
		Available: s.number("available", 0, 9), Limit: s.number("limit", 1, 5), Version: s.version, Buyers: s.number("buyers", 0, 2),
		OpensAt: s.near("opens"), ClosesAt: s.near("closes"), Paused: s.flip("paused", 5),
	}
	return func(l seckill.Lent) string { return fmt.Sprintf("%+v: %v", load, l.Load(s.ctx, load)) }
}

func (s *stream) gate() seckill.Gate {
	g := seckill.Gate{Item: agreeBase, Epoch: s.epoch - max(0, s.number("old epoch", -6, 1)), Server: s.me(), Until: s.near("until")}
	if s.flip("stranger", 8) {
		g.Server.RunID = "stranger"
	}
	return g
}

func (s *stream) open() func(seckill.Lent) string {
	g := s.gate()
	return func(l seckill.Lent) string { return fmt.Sprint(g, l.Open(s.ctx, g)) }
}

func (s *stream) renew() func(seckill.Lent) string {
	s.version += s.number("version", -1, 1)
	r := seckill.Renewal{
		Gate: s.gate(), Version: s.version, Paused: s.flip("paused", 4), OpensAt: s.near("opens"), ClosesAt: s.near("closes"), Limit: s.number("limit", 1, 5),
	}
	return func(l seckill.Lent) string { return fmt.Sprintf("%+v: %v", r, l.Renew(s.ctx, r)) }
}

func (s *stream) issue() func(seckill.Lent) string {
	move := seckill.Move{
		Item: agreeBase, Epoch: s.epoch - max(0, s.number("old epoch", -6, 1)), Issue: s.number("number", 1, 6), Units: s.number("units", 0, 5),
	}
	return func(l seckill.Lent) string {
		applied, err := l.Issue(s.ctx, move)
		return fmt.Sprintf("%+v: %v, %v", move, applied, err)
	}
}

func (s *stream) state() func(seckill.Lent) string {
	return func(l seckill.Lent) string {
		states, err := l.States(s.ctx, []seckill.ID{agreeBase, agreeBase - 1})
		return fmt.Sprintf("%+v, %v", states, err)
	}
}

func (s *stream) expire() func(seckill.Lent) string {
	// An odd number of milliseconds, which clocks that move by even ones never meet: miniredis drops a key one earlier.
	after := rapid.SampledFrom([]time.Duration{11 * time.Millisecond, 3001 * time.Millisecond, 20*time.Minute + time.Millisecond}).Draw(s.T, "after")
	return func(l seckill.Lent) string { return fmt.Sprint(after, l.Expire(s.ctx, agreeBase, after)) }
}

// reopen is what a rebuild does, so that no stream ends in an epoch that never opens.
func (s *stream) reopen() func(seckill.Lent) string {
	s.epoch++
	s.attempts = append(s.attempts, s.next())
	now := s.me()
	load := seckill.Load{
		Item: agreeBase, Epoch: s.epoch, Attempt: s.last, Issue: 1, Available: 9, Limit: 5, Version: s.version,
		OpensAt: now.Now.Add(-time.Hour), ClosesAt: now.Now.Add(200 * time.Hour),
	}
	buyer := seckill.Buyer{User: s.user(), Entries: []seckill.BuyerEntry{s.entry()}}
	load.Buyers = 1
	g := seckill.Gate{Item: agreeBase, Epoch: s.epoch, Server: now, Until: now.Now.Add(100 * time.Hour)}
	return func(l seckill.Lent) string {
		return fmt.Sprintf("%+v %+v: %v, %v, %v", load, buyer,
			l.LoadBuyers(s.ctx, agreeBase, load.Epoch, load.Attempt, []seckill.Buyer{buyer}), l.Load(s.ctx, load), l.Open(s.ctx, g))
	}
}
