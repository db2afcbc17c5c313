package contract

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// SQL is a fresh store with all that decides about stock, orders and money. It tells of events.
type SQL struct {
	Ledger
	Payments seckill.Payments
	Marks    seckill.Marks
	Events   seckill.Events
	// SetDeadline is Till's.
	SetDeadline func(ctx context.Context, item seckill.ID, in time.Duration) error
}

const (
	// agreeSeeds is how many random streams two stores have to agree on; agreeSteps is how long each is.
	agreeSeeds = 25
	agreeSteps = 80
)

// SQLAgree holds two stores to the same answers: whatever random streams of calls meet, what one refuses the other refuses,
// and all rows are the same at the end but for their times and the ids that a store makes itself.
func SQLAgree(t *testing.T, one, other func(t *testing.T) SQL) {
	t.Helper()
	for seed := range uint64(agreeSeeds) {
		t.Run(fmt.Sprintf("answers the stream of seed %d as the other does", seed), func(t *testing.T) {
			t.Parallel()
			if difference := SQLDiffers(t.Context(), seed, one(t), other(t)); difference != "" {
				t.Fatal(difference)
			}
		})
	}
}

// SQLDiffers makes the same random calls to two fresh stores, and tells which one they first answer differently, after which
// others; "" when there is none.
func SQLDiffers(ctx context.Context, seed uint64, one, other SQL) string {
	w := newTwins(ctx, seed, one, other)
	steps := w.steps()
	for range agreeSteps {
		steps[w.random.IntN(len(steps))]()
		if w.difference != "" {
			return w.difference
		}
	}
	w.everything(ctx)
	return w.difference
}

// twins are two stores to which the same is done.
type twins struct {
	ctx        context.Context
	one, other SQL
	random     *rand.Rand
	numbers    numbers
	// made counts names of charges and ops, which sort as they were made.
	made int

	items     [2]seckill.ID // of one shard; the second has OneTry
	users     []seckill.UserID
	processes []seckill.ID
	sent      []seckill.Message
	charges   []seckill.Charge

	done       []string
	difference string
}

// twinUnits is what each item has, twinLimit what a user may have of it.
const (
	twinUnits = 8
	twinLimit = 3
)

func newTwins(ctx context.Context, seed uint64, one, other SQL) *twins {
	w := &twins{ctx: ctx, one: one, other: other, random: rand.New(rand.NewPCG(seed, seed))}
	shards := one.Shards.Count()
	for i := range w.items {
		w.items[i] = w.numbers.next(bucketOn(one.Shards, shards-1))
		w.both("create", func(s SQL) []any {
			item := seckill.Item{ID: w.items[i], Allotment: twinUnits, LimitPerUser: twinLimit, OneTry: i == 1}
			return []any{s.Stocks.Create(ctx, item, seckill.GateDefault)}
		})
	}
	for _, item := range w.items {
		w.rebuildOf(item)
		w.openOf(item)
	}
	for i := range 5 {
		w.users = append(w.users, userOn(one.Shards, i%shards, i))
		w.processes = append(w.processes, w.numbers.next(0))
	}
	w.users = append(w.users, seckill.UserID(strings.ToUpper(string(w.users[0])))) // somebody else
	return w
}

func (w *twins) steps() []func() {
	settle, epochs, money := w.settleSteps(), w.epochSteps(), w.moneySteps()
	return slices.Concat(settle, settle, settle, epochs, money, money)
}

// both does the same to both stores and compares what they say.
func (w *twins) both(what string, call func(s SQL) []any) {
	one, other := render(call(w.one)), render(call(w.other))
	w.done = append(w.done, what+" = "+one)
	if one != other && w.difference == "" {
		w.difference = strings.Join(w.done, "\n") + "\nbut the other one: " + other
	}
}

func pick[T any](w *twins, from []T) T { return from[w.random.IntN(len(from))] }

// seldom is true once in so many times.
func (w *twins) seldom(times int) bool { return w.random.IntN(times) == 0 }

func (w *twins) item() seckill.ID { return pick(w, w.items[:]) }

// stock is what the first store has; the other has the same, or there was a difference.
func (w *twins) stock(item seckill.ID) seckill.Stock {
	stock, _ := w.one.Stocks.Get(w.ctx, item)
	return stock
}

func (w *twins) name() string {
	w.made++
	return fmt.Sprintf("n%04d", w.made)
}

// rowsMany is more than a stream makes.
const rowsMany = 10_000

// everything compares all rows.
func (w *twins) everything(ctx context.Context) {
	for _, item := range w.items {
		w.both("facts", func(s SQL) []any { return answers(s.Books.Facts(ctx, item)) })
		w.both("claims", func(s SQL) []any { return answers(s.Books.ClaimsOf(ctx, item, seckill.ClaimPlace{}, rowsMany)) })
		w.both("moves", func(s SQL) []any { return answers(s.Books.MovesAfter(ctx, item, "", rowsMany)) })
		w.both("buyers", func(s SQL) []any { return answers(s.Claims.Buyers(ctx, item, "", rowsMany)) })
		w.both("issues", func(s SQL) []any { return answers(s.Stocks.Moves(ctx, item, w.stock(item).Epoch, 0)) })
	}
	for shard := range w.one.Shards.Count() {
		w.both("stocks", func(s SQL) []any { return answers(s.Stocks.List(ctx, shard)) })
		w.both("unordered", func(s SQL) []any { return unordered(s.Claims.Unordered(ctx, shard, 0, rowsMany)) })
		w.both("owed", func(s SQL) []any { return unordered(s.Books.OwedAfter(ctx, shard, 0, rowsMany)) })
		w.both("orders", func(s SQL) []any {
			page, next, err := s.Books.OrdersAfter(ctx, shard, nil, "", rowsMany)
			return []any{page, next, err}
		})
		w.both("money", func(s SQL) []any {
			m, err := s.Books.MoneyOf(ctx, shard, w.reserved())
			return []any{inOrder(m.Payments), inOrder(m.Charges), inOrder(m.Refunds), inOrder(m.Returns), inOrder(m.Untold), err}
		})
		w.both("paid", func(s SQL) []any { return answers(s.Books.PaidAfter(ctx, shard, 0, rowsMany)) })
		w.both("events", func(s SQL) []any { return unordered(s.Books.EventsAfter(ctx, shard, 0, rowsMany)) })
		w.both("heartbeats", func(s SQL) []any { return answers(s.Marks.Heartbeats(ctx, shard, time.Time{})) })
	}
}

// reserved are the ids of all reservations that were sent.
func (w *twins) reserved() (ids []seckill.ID) {
	for _, m := range w.sent {
		for _, r := range m.Reservations {
			ids = append(ids, r.ID)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

func answers[T any](answer T, err error) []any { return []any{answer, err} }

// unordered is for rows whose order depends on their times, or on ids that a store makes.
func unordered[T any](rows []T, err error) []any { return []any{inOrder(rows), err} }
