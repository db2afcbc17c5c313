package keeper

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// actionFetched is the line in the operators' log that says what a decrease which needed lent units took in the end.
const actionFetched = "stock.fetched"

// tellFetched tells operators what became of the decreases that were owed: whoever asked for them only heard that the next
// epoch would find the units, as far as nobody had bought them. By now they are gone: a line that cannot be written is
// missing in the log, and nowhere else.
func (r *Recover) tellFetched(ctx context.Context, was, is seckill.Stock) {
	if was.OwedDecrease == 0 {
		return
	}
	taken := was.Allotted - is.Allotted
	missing, level := was.OwedDecrease-taken, slog.LevelInfo
	if missing > 0 {
		level = slog.LevelWarn
	}
	r.ports.Log.Log(ctx, level, "a decrease was fetched from redis", "item", was.Item, "owed", was.OwedDecrease, "taken", taken)
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteWithin)
	defer cancel()
	err := r.ports.Catalog.Log(bounded, seckill.Act{
		Actor: "keeper", Action: actionFetched, Target: was.Item,
		Before: fmt.Sprintf(`{"allotted":%d,"owed":%d}`, was.Allotted, was.OwedDecrease),
		After:  fmt.Sprintf(`{"allotted":%d,"missing":%d,"taken":%d}`, is.Allotted, missing, taken),
	})
	if err != nil {
		r.ports.Log.Warn("what a decrease took is not in the operators' log", "item", was.Item, "error", err)
	}
}
