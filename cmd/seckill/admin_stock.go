package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"text/tabwriter"

	"github.com/seckill-dev/seckill/api"
)

type adminStatsCommand struct{ saleArgument }

// Run implements the command.
func (c *adminStatsCommand) Run(ctx context.Context, desk *desk) error {
	stats, err := desk.Stats(ctx, c.Sale)
	if err != nil {
		return err
	}
	return desk.show(stats, func(table *tabwriter.Writer) {
		row(table, "ITEM", "SKU", "STOCK", "ALLOTTED", "POOL", "LENT", "DOUBT", "CLAIMED", "UNPAID", "PAID", "REFUNDING", "REFUNDED", "AVAILABLE")
		for _, item := range stats.Items {
			row(table, item.ItemID, item.Sku, item.StockState, item.Allotted, item.Pool, item.Lent, item.Doubt, item.Claimed,
				item.Unpaid, item.Paid, item.Refunding, item.Refunded, available(stats.State, item.Redis))
		}
		_ = table.Flush()
		line := "the queue cannot be asked"
		if q := stats.Queue; q != nil {
			line = fmt.Sprintf("queue: %d ready, %d being settled, the oldest for %.1f s; %d dead letters", q.Ready, q.Unacked, q.AgeSeconds, q.Dead)
		}
		for _, item := range stats.Items {
			if item.Halted != "" {
				_, _ = fmt.Fprintf(table, "item %s is halted, nobody can buy it: %s\n", item.ItemID, item.Halted)
			}
		}
		_, _ = fmt.Fprintf(table, "orders: %s\n", sumOrders(stats.Items))
		_, _ = fmt.Fprintf(table, "the sale is %s; %s\n", stats.State, line)
	})
}

// sumOrders counts the orders of all items; the table counts units.
func sumOrders(items []api.ItemStats) string {
	var sum api.OrderCounts
	for _, item := range items {
		sum.Unpaid += item.Orders.Unpaid
		sum.Paid += item.Orders.Paid
		sum.Refunding += item.Orders.Refunding
		sum.Refunded += item.Orders.Refunded
		sum.Cancelled += item.Orders.Cancelled
	}
	return fmt.Sprintf("%d unpaid, %d paid, %d refunding, %d refunded, %d cancelled",
		sum.Unpaid, sum.Paid, sum.Refunding, sum.Refunded, sum.Cancelled)
}

// available is what Redis may sell now; nobody buys of a sale that is over, whatever Redis still has written down.
func available(state api.SaleState, redis *api.RedisStats) string {
	if state == api.SaleStateEnded || redis == nil || redis.Available == nil {
		return "-"
	}
	return fmt.Sprint(*redis.Available)
}

type adminReopenCommand struct {
	Item   string `arg:"" placeholder:"ITEM" help:"The id of the item."`
	Reason string `placeholder:"TEXT" required:"" help:"What you have found, for the operators' log."`
}

// Run implements the command.
func (c *adminReopenCommand) Run(ctx context.Context, desk *desk) error {
	reopened, err := desk.ReopenStock(ctx, c.Item, c.Reason)
	if err != nil {
		return err
	}
	return desk.show(reopened, func(table *tabwriter.Writer) {
		if reopened.Halted == "" {
			_, _ = fmt.Fprintf(table, "item %s is not halted; nothing changed\n", reopened.ItemID)
			return
		}
		_, _ = fmt.Fprintf(table, "item %s was halted (%s)\nits stock is %s: it sells again in some seconds\n",
			reopened.ItemID, reopened.Halted, reopened.State)
	})
}

type adminStockCommand struct {
	Item string `arg:"" placeholder:"ITEM" help:"The id of the item."`
	Add  int64  `placeholder:"UNITS" xor:"way" required:"" help:"Units to add; give this or --take."`
	Take int64  `placeholder:"UNITS" xor:"way" required:"" help:"Units to take away, of those that nobody has claimed; give this or --add."`
	Op   string `placeholder:"NAME" help:"Names this adjustment: repeating the command with it changes nothing more. Otherwise one is made up."`
}

// Run implements the command.
func (c *adminStockCommand) Run(ctx context.Context, desk *desk) error {
	if c.Add < 0 || c.Take < 0 {
		return errors.New("--add and --take: are numbers above 0")
	}
	op := cmp.Or(c.Op, rand.Text())
	adjusted, err := desk.AdjustStock(ctx, c.Item, api.StockAdjustment{Delta: c.Add - c.Take, OpID: op})
	if err != nil {
		return c.sayOp(err, op)
	}
	return desk.show(adjusted, func(table *tabwriter.Writer) {
		row(table, "ITEM", "STOCK", "ALLOTTED", "POOL", "LENT", "DOUBT", "CLAIMED", "OWED")
		row(table, adjusted.ItemID, adjusted.State, adjusted.Allotted, adjusted.Pool, adjusted.Lent, adjusted.Doubt,
			adjusted.Claimed, adjusted.OwedDecrease)
		_ = table.Flush()
		_, _ = fmt.Fprintln(table, sayAdjusted(adjusted))
	})
}

// sayOp names the adjustment where repeating it, and not another one like it, is what helps: it may have been made. Whoever
// repeats the very same command without a name makes up another one.
func (c *adminStockCommand) sayOp(err error, op string) error {
	if !mayPass(err) {
		return err
	}
	err = fmt.Errorf("%w; to be sure, repeat this with --op %s", err, op)
	if c.Op == "" {
		return notAsItIs{err}
	}
	return err
}

// notAsItIs is an error after which the same command must not simply be repeated.
type notAsItIs struct{ error }

// Passing says so to mayPass.
func (notAsItIs) Passing() bool { return false }

func (e notAsItIs) Unwrap() error { return e.error }

func sayAdjusted(a api.StockAdjusted) string {
	verb := "added"
	if a.Delta < 0 {
		verb = "taken"
	}
	text := fmt.Sprintf("%s: %d units %s", a.OpID, abs(a.Taken), verb)
	switch {
	case a.Owed > 0 && a.OwedDecrease > 0:
		text += fmt.Sprintf("; %d more are fetched from redis, as far as nobody has bought them: shoppers hear busy until then", a.Owed)
	case a.Owed > 0:
		text += fmt.Sprintf("; of %d more were taken what nobody had bought: seckill admin log --target %s says how many", a.Owed, a.ItemID)
	}
	if a.Repeated {
		text += " (by the first time this was asked; nothing changed now)"
	}
	return text
}

func abs(n int64) int64 { return max(n, -n) }
