package contract

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// SettleCrowd is the suite of Claims.Settle by several workers at once.
func SettleCrowd(t *testing.T, open func(t *testing.T) Ledger) {
	t.Helper()
	runLedger(t, open, []ledgerCase{
		{"trap 5: two keys of one user in two workers at once stay within the limit", twoKeysAtOnce},
		{"trap 6: overlapping batches of two items in opposite orders neither deadlock nor double", oppositeOrders},
		{"peers: sells exactly what there is to a crowd, rejected units included", sellsOutToACrowd},
	})
}

// atOnce lets every worker settle its calls, all at the same time. Nothing but success may come back.
func (l ledgerTest) atOnce(workers ...[][]seckill.Message) {
	l.Helper()
	var start, done sync.WaitGroup
	start.Add(1)
	for _, calls := range workers {
		done.Go(func() {
			start.Wait()
			for _, messages := range calls {
				shard := seckill.HomeShard(l.Shards, messages[0].Item)
				if _, err := l.Claims.Settle(l.Context(), shard, messages, nil); err != nil {
					l.Error(err)
				}
			}
		})
	}
	start.Done()
	done.Wait()
}

func twoKeysAtOnce(l ledgerTest) {
	const users = 20
	item := l.opened(2*users, 1)
	var one, other [][]seckill.Message
	for i := range int64(users) {
		user := seckill.UserID(fmt.Sprintf("user-%d", i))
		one = append(one, []seckill.Message{l.message(item, 1, 2*i+1, l.reserveKey(user, 1, "first key"))})
		other = append(other, []seckill.Message{l.message(item, 1, 2*i+2, l.reserveKey(user, 1, "other key"))})
	}
	l.atOnce(one, other)
	l.units(item, users, 0, 0, users)
}

func oppositeOrders(l ledgerTest) {
	const batches, size = 12, 10
	items := make([]seckill.ID, 2)
	items[0], items[1] = l.neighbours()
	messages := make([]seckill.Message, 0, 2*batches)
	for i := range batches {
		for _, item := range items {
			var reserved []seckill.Reserved
			for j := range size {
				reserved = append(reserved, l.reserve(seckill.UserID(fmt.Sprintf("user-%d-%d", i, j)), 1))
			}
			messages = append(messages, l.message(item, 1, 5, reserved...))
		}
	}
	var workers [][][]seckill.Message
	for range 4 {
		backwards := slices.Clone(messages)
		slices.Reverse(backwards)
		workers = append(workers, slices.Collect(slices.Chunk(messages, 3)), slices.Collect(slices.Chunk(backwards, 5)))
	}
	// One item at a time: a batch that waits for its second item must then see what was settled there meanwhile.
	workers = append(workers, slices.Collect(slices.Chunk(messages, 1)))
	l.atOnce(workers...)
	for _, item := range items {
		l.units(item, 0, 0, 0, 5)
		if accounted := l.stock(item).Accounted; accounted != batches*size {
			l.Fatalf("accounted %d of %d", accounted, batches*size)
		}
	}
}

func sellsOutToACrowd(l ledgerTest) {
	const units, users, limit = 100, 60, 2
	item := l.opened(units, limit)
	var reserved []seckill.Reserved
	for i := range 3 * users {
		reserved = append(reserved, l.reserve(seckill.UserID(fmt.Sprintf("user-%d", i%users)), 1))
	}
	var workers [][][]seckill.Message
	for range 4 {
		shuffled := slices.Clone(reserved)
		rand.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		var calls [][]seckill.Message
		for chunk := range slices.Chunk(shuffled, 13) {
			calls = append(calls, []seckill.Message{l.message(item, 1, units, chunk...)})
		}
		workers = append(workers, calls)
	}
	l.atOnce(workers...)
	l.units(item, 0, 0, 0, units)
	buyers, err := l.Claims.Buyers(l.Context(), item, "", 2*users)
	if err != nil || len(buyers) != users {
		l.Fatalf("got %d buyers, %v", len(buyers), err)
	}
	for _, buyer := range buyers {
		if len(buyer.Entries) != 3 {
			l.Fatalf("a reservation of %s is neither claimed nor rejected: %+v", buyer.User, buyer.Entries)
		}
	}
}
