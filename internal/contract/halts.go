package contract

import (
	"testing"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Halts is the suite of seckill.Halts, of a ledger whose Stocks implement it.
func Halts(t *testing.T, open func(t *testing.T) Ledger) {
	t.Helper()
	runLedger(t, open, []ledgerCase{
		{"reopens a halted item with the next epoch, and says why it was halted", reopens},
		{"reopens what was being loaded as it is", reopensLoading},
		{"changes nothing of an item that is not halted", reopensNothing},
	})
}

func (l ledgerTest) reopen(item seckill.ID) (seckill.Stock, string) {
	l.Helper()
	halts, implemented := l.Stocks.(seckill.Halts)
	if !implemented {
		l.Fatal("the stocks know no halts")
	}
	stock, why, err := halts.Reopen(l.Context(), item)
	if err != nil {
		l.Fatal(err)
	}
	return stock, why
}

func reopens(l ledgerTest) {
	item := l.opened(4, 1)
	if err := l.Stocks.Halt(l.Context(), item, "because"); err != nil {
		l.Fatal(err)
	}
	stock, why := l.reopen(item)
	if why != "because" || stock.Halted != "" || stock.State != seckill.StockSealing || stock != l.readAt(stock) {
		l.Fatalf("got %+v, %q", stock, why)
	}
	if next := l.rebuild(item, 0); next.Epoch != 2 || next.Lent != 4 {
		l.Fatalf("got %+v", next)
	}
	l.addsUp(item)
}

func reopensLoading(l ledgerTest) {
	item := l.stocked(4, 1)
	loading := l.rebuild(item, 0)
	if err := l.Stocks.Halt(l.Context(), item, "because"); err != nil {
		l.Fatal(err)
	}
	stock, why := l.reopen(item)
	if why != "because" || stock.State != seckill.StockLoading {
		l.Fatalf("got %+v, %q", stock, why)
	}
	if opened, err := l.Stocks.Open(l.Context(), item, loading.Epoch, loading.Attempt); !opened || err != nil {
		l.Fatalf("opened %t, %v", opened, err)
	}
}

func reopensNothing(l ledgerTest) {
	item := l.opened(4, 1)
	before := l.stock(item)
	stock, why := l.reopen(item)
	if why != "" || stock.State != seckill.StockOpen || stock.Version != before.Version {
		l.Fatalf("got %+v, %q", stock, why)
	}
}
