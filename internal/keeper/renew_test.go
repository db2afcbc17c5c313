package keeper

import (
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/handclock"
	"github.com/seckill-dev/seckill/internal/seckill"
)

func TestCarry(t *testing.T) {
	t.Parallel()
	t.Run("is not done while the gate of a sealing item may be lit", func(t *testing.T) {
		t.Parallel()
		clock := handclock.New()
		stock := seckill.Stock{Item: 7, State: seckill.StockSealing, Gate: time.Second, Since: clock.Now()}
		for after, done := range map[time.Duration]bool{
			0: false, time.Second: false, time.Second + seckill.CloseMargin: true,
		} {
			stock.ReadAt = stock.Since.Add(after)
			job := NewRenew(Ports{
				Stocks: &fakeStocks{stock: stock}, Lent: &fakeLent{}, Shards: oneShard{}, Clock: clock, Log: discard(),
			})
			if err := job.Carry(t.Context(), 7); (err == nil) != done {
				t.Errorf("%v after the seal: %v", after, err)
			}
		}
	})
	t.Run("is done for an item that sells nothing", func(t *testing.T) {
		t.Parallel()
		for _, state := range []seckill.StockState{seckill.StockNew, seckill.StockLoading, seckill.StockClosed} {
			job := NewRenew(Ports{
				Stocks: &fakeStocks{stock: seckill.Stock{Item: 7, State: state}}, Lent: &fakeLent{},
				Shards: oneShard{}, Clock: handclock.New(), Log: discard(),
			})
			if err := job.Carry(t.Context(), 7); err != nil {
				t.Errorf("%s: %v", state, err)
			}
		}
	})
}
