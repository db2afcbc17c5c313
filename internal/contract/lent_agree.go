package contract

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// LentAgree runs the same random commands against two Redis and holds every answer of one against the other's. Clocks
// and names of servers are left out of the comparison.
func LentAgree(t *testing.T, one, other LentFixture) {
	t.Helper()
	rapid.Check(t, func(t *rapid.T) {
		s := newLentStream()
		// Most streams need a sale to say anything.
		s.run(t, one, other, s.load)
		s.run(t, one, other, s.open)
		commands := s.commands()
		for range rapid.IntRange(10, 60).Draw(t, "length") {
			s.run(t, one, other, rapid.SampledFrom(commands).Draw(t, "command"))
		}
	})
}

// lentCommand is a command whose arguments are drawn; it can be carried out on either side.
type lentCommand func(ctx context.Context, side lentSide) string

// lentSide is one Redis and who it is at the moment.
type lentSide struct {
	seckill.Lent
	seckill.Server
}

// lentStream draws commands for one item, from few users, keys and numbers, so that they meet.
type lentStream struct {
	base     seckill.ID // the item; other ids count up from it
	last     seckill.ID
	epoch    int64
	version  int64
	requests []seckill.ReserveRequest
	batches  []seckill.ID
}

func newLentStream() *lentStream {
	base := seckill.ID(int64(1)<<61 + rand.Int64N(1<<60))
	return &lentStream{base: base, last: base, epoch: 1, version: 1, batches: []seckill.ID{base + 1_000_000}}
}

func (s *lentStream) commands() []func(*rapid.T) lentCommand {
	often := []func(*rapid.T) lentCommand{s.reserve, s.reserve, s.reserve, s.reserve, s.look, s.buyer, s.renew, s.issue, s.state}
	return append(often, s.sent, s.settled, s.due, s.outbox, s.load, s.open, s.reopen)
}

func (s *lentStream) run(t *rapid.T, one, other LentFixture, draw func(*rapid.T) lentCommand) {
	command := draw(t)
	var answers [2]string
	for n, fixture := range []LentFixture{one, other} {
		server, err := fixture.Lent.Server(t.Context(), s.base)
		if err != nil {
			t.Fatal(err)
		}
		answers[n] = command(t.Context(), lentSide{fixture.Lent, server})
	}
	t.Log(answers[0])
	if answers[0] != answers[1] {
		t.Fatalf("the other says\n%s", answers[1])
	}
}

func (s *lentStream) next() seckill.ID { s.last++; return s.last }

func (s *lentStream) user(t *rapid.T) seckill.UserID {
	return rapid.SampledFrom([]seckill.UserID{"ann", "bob", "cat@x-y.z"}).Draw(t, "user")
}

// request is a new one, or one that was made before.
func (s *lentStream) request(t *rapid.T) seckill.ReserveRequest {
	if len(s.requests) > 0 && rapid.IntRange(0, 3).Draw(t, "repeat") == 0 {
		return rapid.SampledFrom(s.requests).Draw(t, "request")
	}
	id := s.next()
	key := rapid.SampledFrom([]string{"", "", "k1", "k2", "k3"}).Draw(t, "key")
	request := seckill.ReserveRequest{
		ID: id, User: s.user(t), KeyHash: seckill.KeyHash(key, id), Quantity: rapid.Int64Range(1, 4).Draw(t, "quantity"),
	}
	s.requests = append(s.requests, request)
	return request
}

func (s *lentStream) reserve(t *rapid.T) lentCommand {
	batch := s.next()
	if rapid.IntRange(0, 9).Draw(t, "same batch") == 0 {
		batch = rapid.SampledFrom(s.batches).Draw(t, "batch")
	}
	s.batches = append(s.batches, batch)
	requests := make([]seckill.ReserveRequest, rapid.IntRange(1, 6).Draw(t, "requests"))
	for n := range requests {
		requests[n] = s.request(t)
	}
	return func(ctx context.Context, side lentSide) string {
		reply, err := side.Reserve(ctx, s.base, batch, requests)
		return fmt.Sprintf("reserve %d: epoch %d sold %d available %d own %s unsent %s outcomes %+v, %v",
			batch, reply.Epoch, reply.Sold, reply.Available, lentBody(reply.Own), lentBodies(reply.Unsent), reply.Outcomes, err)
	}
}

func (s *lentStream) look(t *rapid.T) lentCommand {
	request := s.request(t)
	return func(ctx context.Context, side lentSide) string {
		answers, err := side.Look(ctx, s.base, []seckill.LookRequest{
			{User: request.User, ID: request.ID},
			{User: request.User, KeyHash: request.KeyHash},
			{User: request.User},
		})
		return fmt.Sprintf("look: %+v, %v", answers, err)
	}
}

func (s *lentStream) buyer(t *rapid.T) lentCommand {
	request := s.request(t)
	epoch := s.epoch + rapid.Int64Range(-1, 1).Draw(t, "epoch")
	entry := seckill.BuyerEntry{ID: request.ID, KeyHash: request.KeyHash, Quantity: rapid.Int64Range(0, 3).Draw(t, "quantity")}
	return func(ctx context.Context, side lentSide) string {
		outcome, err := side.SetBuyer(ctx, s.base, epoch, request.User, entry)
		return fmt.Sprintf("buyer %s %+v: %d, %v", request.User, entry, outcome, err)
	}
}

func (s *lentStream) some(t *rapid.T) []seckill.ID {
	return rapid.SliceOfN(rapid.SampledFrom(s.batches), 0, 4).Draw(t, "batches")
}

func (s *lentStream) sent(t *rapid.T) lentCommand {
	batches := s.some(t)
	return func(ctx context.Context, side lentSide) string {
		return fmt.Sprintf("sent %v: %v", batches, side.Sent(ctx, s.base, batches))
	}
}

func (s *lentStream) settled(t *rapid.T) lentCommand {
	batches := s.some(t)
	return func(ctx context.Context, side lentSide) string {
		return fmt.Sprintf("settled %v: %v", batches, side.Settled(ctx, s.base, batches))
	}
}

func (s *lentStream) due(t *rapid.T) lentCommand {
	ages := rapid.SampledFrom([]time.Duration{0, lentAny, time.Hour})
	query := seckill.DueQuery{
		UnsentFor: ages.Draw(t, "unsent"), UnsettledFor: ages.Draw(t, "unsettled"),
		TriesMax: 2, SlowFor: rapid.SampledFrom([]time.Duration{lentAny, time.Hour}).Draw(t, "slow"), Max: 1000,
	}
	return func(ctx context.Context, side lentSide) string {
		entries, err := side.Due(ctx, s.base, query)
		return fmt.Sprintf("due %+v: %s, %v", query, lentEntries(entries), err)
	}
}

func (s *lentStream) outbox(*rapid.T) lentCommand {
	return func(ctx context.Context, side lentSide) string {
		entries, err := side.Outbox(ctx, s.base, 0, 1000)
		return fmt.Sprintf("outbox: %s, %v", lentEntries(entries), err)
	}
}

// load is for this epoch, one before or the next one, with a buyer more or less than it says.
func (s *lentStream) load(t *rapid.T) lentCommand {
	s.epoch += rapid.Int64Range(0, 1).Draw(t, "step")
	load := seckill.Load{
		Item: s.base, Epoch: s.epoch, Attempt: s.next(), Issue: rapid.Int64Range(1, 3).Draw(t, "issue"),
		Available: rapid.Int64Range(0, 20).Draw(t, "available"), Limit: rapid.Int64Range(1, 5).Draw(t, "limit"), Version: s.version,
	}
	load.OpensAt, load.ClosesAt = lentWindowOf(t)
	known := s.request(t)
	entry := seckill.BuyerEntry{ID: known.ID, Quantity: known.Quantity, KeyHash: known.KeyHash}
	buyers := []seckill.Buyer{{User: known.User, Entries: []seckill.BuyerEntry{entry}}}[rapid.IntRange(0, 1).Draw(t, "no buyer"):]
	load.Buyers = int64(len(buyers)) + max(0, rapid.Int64Range(-8, 1).Draw(t, "missing"))
	return func(ctx context.Context, side lentSide) string {
		chunk := side.LoadBuyers(ctx, s.base, load.Epoch, load.Attempt, buyers)
		return fmt.Sprintf("load %+v: %v, %v", load, chunk, side.Load(ctx, load))
	}
}

func (s *lentStream) gate(t *rapid.T) func(lentSide) seckill.Gate {
	epoch := s.epoch - max(0, rapid.Int64Range(-8, 1).Draw(t, "old epoch"))
	ahead := rapid.SampledFrom([]time.Duration{time.Hour, time.Hour, time.Hour, -time.Hour}).Draw(t, "until")
	stranger := rapid.IntRange(0, 9).Draw(t, "stranger") == 0
	return func(side lentSide) seckill.Gate {
		gate := seckill.Gate{Item: s.base, Epoch: epoch, Server: side.Server, Until: side.Now.Add(ahead)}
		if stranger {
			gate.Server.RunID = "stranger"
		}
		return gate
	}
}

func (s *lentStream) open(t *rapid.T) lentCommand {
	gate := s.gate(t)
	return func(ctx context.Context, side lentSide) string {
		return fmt.Sprintf("open %d: %v", s.epoch, side.Open(ctx, gate(side)))
	}
}

// reopen is what a rebuild does, so that no stream ends in an epoch that never opens.
func (s *lentStream) reopen(t *rapid.T) lentCommand {
	s.epoch++
	load := seckill.Load{
		Item: s.base, Epoch: s.epoch, Attempt: s.next(), Issue: 1, Available: 20, Limit: 5, Version: s.version,
		OpensAt: time.UnixMilli(0), ClosesAt: time.UnixMilli(1 << 42),
	}
	return func(ctx context.Context, side lentSide) string {
		gate := seckill.Gate{Item: s.base, Epoch: load.Epoch, Server: side.Server, Until: side.Now.Add(time.Hour)}
		return fmt.Sprintf("reopen %d: %v, %v", load.Epoch, side.Load(ctx, load), side.Open(ctx, gate))
	}
}

func (s *lentStream) renew(t *rapid.T) lentCommand {
	gate := s.gate(t)
	renewal := seckill.Renewal{Paused: rapid.IntRange(0, 4).Draw(t, "paused") == 0, Limit: rapid.Int64Range(1, 5).Draw(t, "limit")}
	renewal.OpensAt, renewal.ClosesAt = lentWindowOf(t)
	s.version += rapid.Int64Range(0, 1).Draw(t, "step")
	renewal.Version = s.version - max(0, rapid.Int64Range(-4, 1).Draw(t, "old version"))
	return func(ctx context.Context, side lentSide) string {
		renewal.Gate = gate(side)
		return fmt.Sprintf("renew %d version %d: %v", renewal.Epoch, renewal.Version, side.Renew(ctx, renewal))
	}
}

func (s *lentStream) issue(t *rapid.T) lentCommand {
	move := seckill.Move{
		Item: s.base, Epoch: s.epoch - max(0, rapid.Int64Range(-8, 1).Draw(t, "old epoch")),
		Issue: rapid.Int64Range(1, 6).Draw(t, "number"), Units: rapid.Int64Range(0, 5).Draw(t, "units"),
	}
	return func(ctx context.Context, side lentSide) string {
		applied, err := side.Issue(ctx, move)
		return fmt.Sprintf("issue %d of %d: %t, %v", move.Issue, move.Epoch, applied, err)
	}
}

func (s *lentStream) state(*rapid.T) lentCommand {
	return func(ctx context.Context, side lentSide) string {
		states, err := side.States(ctx, []seckill.ID{s.base, s.base - 1})
		for n := range states {
			states[n].Server = seckill.Server{}
			for _, id := range []*string{&states[n].GateRunID, &states[n].GateReplicationID} {
				if *id == side.RunID || *id == side.ReplicationID {
					*id = "mine"
				}
			}
		}
		return fmt.Sprintf("state: %+v, %v", states, err)
	}
}

// lentWindowOf is mostly open; far from now, so that both sides stand on the same side of it.
func lentWindowOf(t *rapid.T) (opens, closes time.Time) {
	long, ago, ahead := time.UnixMilli(0), time.UnixMilli(1<<40), time.UnixMilli(1<<42)
	switch rapid.IntRange(0, 9).Draw(t, "window") {
	case 0:
		return ahead, ahead
	case 1:
		return long, ago
	default:
		return long, ahead
	}
}

// lentBody is a message without its moment.
func lentBody(body seckill.Body) string {
	if body.Bytes == nil {
		return "none"
	}
	m, err := seckill.DecodeMessage(body.Bytes)
	m.At = 0
	return fmt.Sprintf("%d:%s %v", body.Batch, m.Encode(), err)
}

func lentBodies(bodies []seckill.Body) string {
	var out []string
	for _, body := range bodies {
		out = append(out, lentBody(body))
	}
	return strings.Join(out, " ")
}

// lentEntries are in no order: it depends on milliseconds.
func lentEntries(entries []seckill.DueEntry) string {
	var out []string
	for _, e := range entries {
		out = append(out, fmt.Sprintf("%s unsent %v tries %d", lentBody(e.Body), e.Unsent, e.Tries))
	}
	slices.Sort(out)
	return strings.Join(out, "; ")
}
