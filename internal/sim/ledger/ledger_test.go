package ledger_test

import (
	"context"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/contract"
	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sim/ledger"
)

// onModels runs a suite on ledgers of one shard and of several.
func onModels(t *testing.T, suite func(t *testing.T, open func(t *testing.T) *ledger.Ledger)) {
	t.Helper()
	for name, shards := range map[string]int{"one shard": 1, "three shards": 3} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			suite(t, func(t *testing.T) *ledger.Ledger {
				t.Helper()
				return ledger.New(ledger.Config{Shards: shards, Clock: seckill.SystemClock{}})
			})
		})
	}
}

func TestLedgerContract(t *testing.T) {
	t.Parallel()
	for name, suite := range map[string]func(*testing.T, func(*testing.T) contract.Ledger){
		"stocks": contract.Stocks, "settle": contract.Settle, "claims": contract.Claims, "settle in a crowd": contract.SettleCrowd,
		"books": contract.Books, "settle at once": contract.SettleAtOnce, "settle anything": contract.SettleRandom, "returns": contract.Returns,
		"adjustments": contract.Adjustments, "returns in a crowd": contract.ReturnsCrowd,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onModels(t, func(t *testing.T, open func(t *testing.T) *ledger.Ledger) {
				t.Helper()
				suite(t, func(t *testing.T) contract.Ledger {
					t.Helper()
					return portsOf(open(t))
				})
			})
		})
	}
}

func portsOf(l *ledger.Ledger) contract.Ledger {
	return contract.Ledger{
		Stocks: ledger.Stocks{Ledger: l}, Claims: ledger.Claims{Ledger: l}, Orders: ledger.Orders{Ledger: l},
		Returns: ledger.Stocks{Ledger: l}, Adjustments: ledger.Stocks{Ledger: l},
		Books: ledger.Books{Ledger: l}, Owing: ledger.Owing{Ledger: l}, Shards: l.Shards(),
		IDs: ledger.NewIDs(0, seckill.SystemClock{}),
		Elapse: func(_ context.Context, item seckill.ID, passed time.Duration) error {
			ledger.Age(l, item, passed)
			return nil
		},
		Lose: func(_ context.Context, item seckill.ID) error {
			ledger.Lose(l, item)
			return nil
		},
	}
}

func TestCatalogContract(t *testing.T) {
	t.Parallel()
	onModels(t, func(t *testing.T, open func(t *testing.T) *ledger.Ledger) {
		t.Helper()
		contract.Catalog(t, func(t *testing.T) seckill.Catalog {
			t.Helper()
			return ledger.Catalog{Ledger: open(t)}
		})
	})
}

func TestOrdersContract(t *testing.T) {
	t.Parallel()
	onModels(t, func(t *testing.T, open func(t *testing.T) *ledger.Ledger) {
		t.Helper()
		contract.Orders(t, func(t *testing.T) (seckill.Orders, seckill.Shards) {
			t.Helper()
			l := open(t)
			return ledger.Orders{Ledger: l}, l.Shards()
		})
	})
}

func TestPaymentsContract(t *testing.T) {
	t.Parallel()
	onModels(t, func(t *testing.T, open func(t *testing.T) *ledger.Ledger) {
		t.Helper()
		contract.Payments(t, func(t *testing.T) contract.Till {
			t.Helper()
			l := open(t)
			ports := portsOf(l)
			return contract.Till{
				Payments: ledger.Payments{Ledger: l}, Orders: ports.Orders, Owing: ports.Owing, Books: ports.Books,
				Shards: ports.Shards, IDs: ports.IDs,
				SetDeadline: func(_ context.Context, item seckill.ID, in time.Duration) error {
					ledger.SetDeadline(l, item, time.Now().Add(in))
					return nil
				},
			}
		})
	})
}

func TestEventsContract(t *testing.T) {
	t.Parallel()
	onModels(t, func(t *testing.T, open func(t *testing.T) *ledger.Ledger) {
		t.Helper()
		contract.Events(t, func(t *testing.T) contract.EventsFixture {
			t.Helper()
			l := open(t)
			return contract.EventsFixture{
				Events: ledger.Events{Ledger: l}, Books: ledger.Books{Ledger: l}, Shards: l.Shards(),
				Tell: func(t *testing.T, shard int, events ...seckill.Event) {
					t.Helper()
					ledger.Tell(l, shard, events)
				},
				Elapse: func(t *testing.T, shard int, passed time.Duration) {
					t.Helper()
					ledger.AgeDispatches(l, shard, passed)
				},
				Left: func(t *testing.T, shard int) (events, dispatches int) {
					t.Helper()
					return ledger.Left(l, shard)
				},
			}
		})
	})
}

func TestMarksContract(t *testing.T) {
	t.Parallel()
	onModels(t, func(t *testing.T, open func(t *testing.T) *ledger.Ledger) {
		t.Helper()
		contract.Marks(t, func(t *testing.T) (seckill.Marks, seckill.Shards) {
			t.Helper()
			l := open(t)
			return ledger.Marks{Ledger: l}, l.Shards()
		})
	})
}

func TestOwingContract(t *testing.T) {
	t.Parallel()
	onModels(t, func(t *testing.T, open func(t *testing.T) *ledger.Ledger) {
		t.Helper()
		contract.Owing(t, func(t *testing.T) contract.OwingFixture {
			t.Helper()
			l := open(t)
			return contract.OwingFixture{
				Owing: ledger.Owing{Ledger: l}, Shards: l.Shards(),
				Owe: func(t *testing.T, shard int, owed ...seckill.Owed) {
					t.Helper()
					ledger.Owe(l, shard, owed)
				},
			}
		})
	})
}

func TestIDsContract(t *testing.T) {
	t.Parallel()
	contract.IDs(t, func(t *testing.T) (one, other seckill.IDs) {
		t.Helper()
		return ledger.NewIDs(0, seckill.SystemClock{}), ledger.NewIDs(1, seckill.SystemClock{})
	})
}
