package crowd

import (
	"context"
	"fmt"
	"net/http"

	"github.com/seckill-dev/seckill/api"
)

// judge asks the operators' side: is there an order for more units than there ever were, and does the audit agree?
func (c *crowd) judge(ctx context.Context) error {
	c.checkServed()
	if err := c.judgeProvider(ctx); err != nil {
		return err
	}
	if c.config.AdminURL == "" {
		return nil
	}
	item, err := c.readStock(ctx)
	if err != nil {
		return err
	}
	c.stock = &item
	c.checkSold(item)
	var report api.AuditReport
	if err := c.admin(ctx, "audit", &report); err != nil {
		return err
	}
	c.audit = &report
	c.checkAudit(report)
	return nil
}

func (c *crowd) admin(ctx context.Context, what string, value any) error {
	if err := c.get(ctx, c.visitor, c.adminCall(what), value); err != nil {
		return fmt.Errorf("%s of sale %s: %w", what, c.sale.ID, err)
	}
	return nil
}

func (c *crowd) adminCall(what string) call {
	return call{
		method: http.MethodGet, url: c.config.AdminURL + "/admin/v1/sales/" + c.sale.ID + "/" + what,
		token: c.config.OperatorKey, timeout: auditTimeout,
	}
}

// readStock reads where the operators see the item's units.
func (c *crowd) readStock(ctx context.Context) (api.ItemStats, error) {
	var stats api.SaleStats
	if err := c.admin(ctx, "stats", &stats); err != nil {
		return api.ItemStats{}, err
	}
	item, ok := c.itemOf(stats)
	if !ok {
		return api.ItemStats{}, fmt.Errorf("stats of sale %s: item %s is missing", c.sale.ID, c.item.ID)
	}
	return item, nil
}

func (c *crowd) itemOf(stats api.SaleStats) (api.ItemStats, bool) {
	for _, item := range stats.Items {
		if item.ItemID == c.item.ID {
			return item, true
		}
	}
	return api.ItemStats{}, false
}

// checkServed: if nobody heard anything definite of the sale, everything adds up to nothing.
func (c *crowd) checkServed() {
	if c.tally.queued.Load()+c.tally.soldOut.Load()+c.tally.limitReached.Load() == 0 {
		c.problems.add(Problem{Kind: Unserved, Detail: "nobody was queued, and nobody was told sold_out"})
	}
}

func (c *crowd) checkSold(item api.ItemStats) {
	if sum := item.Pool + item.Lent + item.Doubt + item.Claimed; sum != item.Allotted {
		c.problems.add(Problem{Kind: Oversold, Detail: fmt.Sprintf("%d units were allotted, but the stock adds up to %d", item.Allotted, sum)})
	}
	if c.units > item.Claimed || c.units > item.Allotted {
		c.problems.add(Problem{Kind: Oversold, Detail: fmt.Sprintf(
			"the crowd's orders are for %d units, but of %d only %d are claimed", c.units, item.Allotted, item.Claimed)})
	}
	if c.config.UntilSold && item.Paid != item.Allotted {
		c.problems.add(Problem{Kind: Unsold, Detail: fmt.Sprintf("%d of %d units are paid", item.Paid, item.Allotted)})
	}
}

func (c *crowd) checkAudit(report api.AuditReport) {
	for _, f := range report.Findings {
		c.problems.add(Problem{
			Kind: AuditFinding, Reservation: f.ReservationID,
			Detail: fmt.Sprintf("%s %s %s: %s", f.ID, f.Table, f.Key, f.Detail),
		})
	}
	if !report.Ok && len(report.Findings) == 0 {
		c.problems.add(Problem{Kind: AuditFinding, Detail: "the audit is not ok, but has no finding"})
	}
	if report.Checked.Orders < c.orders {
		c.problems.add(Problem{Kind: AuditFinding, Detail: fmt.Sprintf(
			"the audit looked at %d orders, but the crowd alone has %d", report.Checked.Orders, c.orders)})
	}
}
