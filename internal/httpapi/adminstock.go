package httpapi

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/seckill-dev/seckill/api"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// adjustStock answers 202 when a part of a decrease has still to be fetched from Redis.
func (o *operators) adjustStock(ctx context.Context, c *gin.Context, actor string) error {
	item, err := pathID(c, "item_id")
	if err != nil {
		return err
	}
	var body api.StockAdjustment
	if err := decode(c, bodyMax, &body); err != nil {
		return err
	}
	adjustment := seckill.Adjustment{Item: item, Op: body.OpID, Delta: body.Delta}
	adjusted, err := o.operations.AdjustStock(ctx, actor, adjustment)
	if err != nil {
		return err
	}
	status := http.StatusOK
	if adjusted.Owed > 0 {
		status = http.StatusAccepted
	}
	if err := o.reply(c, status, wireAdjusted(adjustment, adjusted)); err != nil {
		return err
	}
	o.noteOperated(ctx, c, actor, c.FullPath())
	return nil
}

// reopenStock lets an item be sold again that was halted.
func (o *operators) reopenStock(ctx context.Context, c *gin.Context, actor string) error {
	item, err := pathID(c, "item_id")
	if err != nil {
		return err
	}
	var body api.ReopenStock
	if err := decode(c, bodyMax, &body); err != nil {
		return err
	}
	reopened, err := o.operations.ReopenStock(ctx, actor, item, body.Reason)
	if err != nil {
		return err
	}
	wire := api.StockReopened{
		ItemID: item.String(), Halted: reopened.Halted, State: api.StockState(reopened.Stock.State), Epoch: reopened.Stock.Epoch,
	}
	if err := o.reply(c, http.StatusOK, wire); err != nil {
		return err
	}
	o.noteOperated(ctx, c, actor, c.FullPath())
	return nil
}

func wireAdjusted(asked seckill.Adjustment, adjusted seckill.Adjusted) api.StockAdjusted {
	stock := adjusted.Stock
	return api.StockAdjusted{
		ItemID: asked.Item.String(), OpID: asked.Op, Delta: asked.Delta, Taken: adjusted.Taken, Owed: adjusted.Owed,
		Repeated: adjusted.Repeated, State: api.StockState(stock.State), Epoch: stock.Epoch, Allotted: stock.Allotted,
		Pool: stock.Pool, Lent: stock.Lent, Doubt: stock.Doubt, Claimed: stock.Claimed, OwedDecrease: stock.OwedDecrease,
	}
}
