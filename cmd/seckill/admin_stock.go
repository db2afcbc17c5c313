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
		row(table, "ITEM", "SKU", "STOCK", "ALLOTTED", "POOL", "LENT", "DOUBT", "CLAIMED", "UNPAID", "PAID", "AVAILABLE")
		for _, item := range stats.Items {
			row(table, item.ItemID, item.Sku, item.StockState, item.Allotted, item.Pool, item.Lent, item.Doubt, item.Claimed,
				item.Unpaid, item.Paid, available(item.Redis))
		}
		_ = table.Flush()
		line := "the queue cannot be asked"
		if q := stats.Queue; q != nil {
			line = fmt.Sprintf("queue: %d ready, %d being settled, the oldest for %.1f s; %d dead letters", q.Ready, q.Unacked, q.AgeSeconds, q.Dead)
		}
		_, _ = fmt.Fprintf(table, "the sale is %s; %s\n", stats.State, line)
	})
}

// available is what Redis may sell now.
func available(redis *api.RedisStats) string {
	if redis == nil || redis.Available == nil {
		return ""
	}
	return fmt.Sprint(*redis.Available)
}

type adminStockCommand struct {
	Item string `arg:"" placeholder:"ITEM" help:"The id of the item."`
	Add  int64  `placeholder:"UNITS" xor:"way" required:"" help:"Units to add."`
	Take int64  `placeholder:"UNITS" xor:"way" required:"" help:"Units to take away, of those that nobody has claimed."`
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
