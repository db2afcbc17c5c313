package httpapi

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/seckill-dev/seckill/api"
	"github.com/seckill-dev/seckill/internal/audit"
	"github.com/seckill-dev/seckill/internal/operate"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// saleStats shows where the units of a sale are.
func (o *operators) saleStats(ctx context.Context, c *gin.Context, _ string) error {
	id, err := pathID(c, "sale_id")
	if err != nil {
		return err
	}
	stats, err := o.operations.Stats(ctx, id)
	if err != nil {
		return err
	}
	return o.reply(c, http.StatusOK, wireStats(stats))
}

func wireStats(stats operate.SaleStats) api.SaleStats {
	wire := api.SaleStats{
		SaleID: stats.Sale.String(), State: api.SaleState(stats.State), ServerTime: stats.Now.UTC(),
		Items: make([]api.ItemStats, len(stats.Items)),
	}
	for i, item := range stats.Items {
		wire.Items[i] = wireItemStats(item)
	}
	if q := stats.Queue; q != nil {
		wire.Queue = &api.QueueStats{Ready: q.Ready, Unacked: q.Unacked, AgeSeconds: q.Age.Seconds(), Dead: q.Dead}
	}
	return wire
}

func wireItemStats(item operate.ItemStats) api.ItemStats {
	wire := api.ItemStats{
		ItemID: item.Item.ID.String(), Sku: item.Item.SKU, StockState: api.StockState(item.Stock.State),
		Allotted: item.Stock.Allotted, Pool: item.Stock.Pool, Lent: item.Stock.Lent, Doubt: item.Stock.Doubt,
		Claimed: item.Stock.Claimed, Unpaid: item.Orders[seckill.OrderUnpaid].Units,
		Paid: item.Orders[seckill.OrderPaid].Units, Refunding: item.Orders[seckill.OrderRefunding].Units,
		Refunded: item.Orders[seckill.OrderRefunded].Units, Orders: wireCounts(item.Orders), Halted: item.Stock.Halted,
	}
	if r := item.Redis; r != nil {
		wire.Redis = &api.RedisStats{Live: r.Live, Epoch: r.Epoch, Unsent: r.Unsent, Unsettled: r.Unsettled}
		if r.Live {
			wire.Redis.Available = &r.Available
		}
	}
	return wire
}

func wireCounts(orders map[seckill.OrderState]seckill.OrderCount) api.OrderCounts {
	return api.OrderCounts{
		Unpaid: orders[seckill.OrderUnpaid].Orders, Paid: orders[seckill.OrderPaid].Orders,
		Refunding: orders[seckill.OrderRefunding].Orders, Refunded: orders[seckill.OrderRefunded].Orders,
		Cancelled: orders[seckill.OrderCancelled].Orders,
	}
}

// auditSale says whether every number of a sale adds up.
func (o *operators) auditSale(ctx context.Context, c *gin.Context, _ string) error {
	id, err := pathID(c, "sale_id")
	if err != nil {
		return err
	}
	return o.runAudit(ctx, c, &id)
}

// auditAll says it of every sale.
func (o *operators) auditAll(ctx context.Context, c *gin.Context, _ string) error {
	return o.runAudit(ctx, c, nil)
}

func (o *operators) runAudit(ctx context.Context, c *gin.Context, sale *seckill.ID) error {
	report, err := o.audit.Run(ctx, sale)
	if err != nil {
		return err
	}
	return o.reply(c, http.StatusOK, WireAudit(report))
}

// WireAudit is a report as the contract has it, for whoever audits without a process that serves it, too.
func WireAudit(report audit.Report) api.AuditReport {
	wire := api.AuditReport{
		Ok:       report.OK,
		Owed:     report.Owed,
		Checked:  api.AuditChecked{Items: report.Checked.Items, Claims: report.Checked.Claims, Orders: report.Checked.Orders},
		Findings: make([]api.Finding, len(report.Findings)),
		Notes:    report.Notes,
	}
	if report.Sale != nil {
		wire.SaleID = report.Sale.String()
	}
	for i, finding := range report.Findings {
		wire.Findings[i] = api.Finding{
			ID: finding.ID, ItemID: optional(finding.Item), ReservationID: optional(finding.Reservation),
			Table: finding.Table, Key: finding.Key, Detail: finding.Detail,
		}
	}
	return wire
}

// optional is an id, or "" when there is none.
func optional(id seckill.ID) string {
	if id == 0 {
		return ""
	}
	return id.String()
}
