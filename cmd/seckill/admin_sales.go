package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/seckill-dev/seckill/api"
	"github.com/seckill-dev/seckill/internal/adminclient"
	"github.com/seckill-dev/seckill/internal/seckill"
)

type adminSalesCommand struct {
	List    salesListCommand    `cmd:"" help:"List sales, newest first."`
	Show    salesShowCommand    `cmd:"" help:"Show one sale."`
	Create  salesCreateCommand  `cmd:"" help:"Make a draft from a file."`
	Edit    salesEditCommand    `cmd:"" help:"Change a sale: a draft in every way, later its name, window and limits."`
	Delete  salesDeleteCommand  `cmd:"" help:"Delete a draft."`
	Preload salesPreloadCommand `cmd:"" help:"Schedule a draft and lend its units."`
	Pause   salesPauseCommand   `cmd:"" help:"Stop selling for now."`
	Resume  salesResumeCommand  `cmd:"" help:"Go on selling."`
	End     salesEndCommand     `cmd:"" help:"End a sale for good."`
}

// saleArgument names one sale.
type saleArgument struct {
	Sale string `arg:"" placeholder:"SALE" help:"The id of the sale."`
}

// saleAtVersion names one sale as the operator saw it.
type saleAtVersion struct {
	saleArgument
	IfVersion int64 `placeholder:"N" help:"Only if the sale is still at this version."`
}

type salesListCommand struct {
	State string `enum:"draft,scheduled,live,paused,ended," default:"" placeholder:"STATE" help:"Only sales in this state: draft, scheduled, live, paused or ended."`
	pageFlags
}

// Run implements the command.
func (c *salesListCommand) Run(ctx context.Context, desk *desk) error {
	sales, err := collect(c.pageFlags, func(page adminclient.Page) ([]api.AdminSale, string, error) {
		list, err := desk.Sales(ctx, c.State, page)
		return list.Data, list.Next, err
	})
	if err != nil {
		return err
	}
	return desk.show(sales, func(table *tabwriter.Writer) {
		row(table, "SALE", "NAME", "STATE", "STARTS", "ENDS", "ITEMS", "VERSION")
		for _, sale := range sales.Data {
			row(table, sale.ID, sale.Name, sale.State, moment(sale.StartsAt), moment(sale.EndsAt), len(sale.Items), sale.Version)
		}
		more(table, sales.Next)
	})
}

type salesShowCommand struct{ saleArgument }

// Run implements the command.
func (c *salesShowCommand) Run(ctx context.Context, desk *desk) error {
	sale, err := desk.Sale(ctx, c.Sale)
	return desk.showSale(sale, err)
}

// showSale prints a sale and how each item took what was asked.
func (d *desk) showSale(sale api.AdminSale, err error) error {
	if err != nil {
		return err
	}
	return d.show(sale, func(table *tabwriter.Writer) {
		row(table, "SALE", "NAME", "STATE", "STARTS", "ENDS", "PAY WITHIN", "VERSION")
		row(table, sale.ID, sale.Name, sale.State, moment(sale.StartsAt), moment(sale.EndsAt),
			time.Duration(sale.PayWithinSeconds)*time.Second, sale.Version)
		_ = table.Flush()
		row(table, "ITEM", "SKU", "TITLE", "PRICE", "LIMIT", "ALLOTTED", "CHANGED", "STOCK")
		for _, item := range sale.Items {
			allotted, changed := allottedNow(item)
			row(table, item.ID, item.Sku, item.Title, seckill.Amount(item.PriceMinor, item.Currency), item.LimitPerUser, allotted, changed,
				item.StockState)
		}
		_ = table.Flush()
		printChecks(table, sale.Checks)
	})
}

// allottedNow is what an item has now, and by how much that is more or less than its first allotment.
func allottedNow(item api.AdminItem) (units int64, changed string) {
	if item.Allotted == nil {
		return item.Allotment, ""
	}
	if delta := *item.Allotted - item.Allotment; delta != 0 {
		changed = fmt.Sprintf("%+d", delta)
	}
	return *item.Allotted, changed
}

func printChecks(out io.Writer, checks []api.Check) {
	for _, check := range checks {
		verdict := "ok"
		if !check.Ok {
			verdict = "NOT DONE"
		}
		_, _ = fmt.Fprintf(out, "%s: item %s: %s\n", verdict, check.ItemID, check.Detail)
	}
}

type salesCreateCommand struct {
	File string `arg:"" placeholder:"FILE" help:"The sale as YAML or JSON, as the API takes it; - reads standard input. Times may be like +30s, from now; price_minor counts minor units: 4999 in EUR is 49.99, in JPY 4999."`
}

// Run implements the command.
func (c *salesCreateCommand) Run(ctx context.Context, desk *desk) error {
	var sale api.NewSale
	if err := readDocument(c.File, &sale); err != nil {
		return err
	}
	created, err := desk.CreateSale(ctx, sale)
	return desk.showSale(created, err)
}

type salesEditCommand struct {
	saleAtVersion
	File      string           `arg:"" optional:"" placeholder:"FILE" help:"The changes as YAML or JSON, as the API takes them; - reads standard input. items, of a draft only, replaces all of them; prices in minor units."`
	Name      *string          `help:"Another name."`
	StartsAt  string           `placeholder:"TIME" help:"Another start, like 2026-03-20T10:00:00Z, or +30s from now."`
	EndsAt    string           `placeholder:"TIME" help:"Another end, likewise."`
	PayWithin time.Duration    `help:"How long an order may stay unpaid, like 15m; of a draft only."`
	Limit     map[string]int64 `placeholder:"ITEM=N" help:"Another limit per shopper for an item, by its id or SKU; may be repeated. For more or fewer units see seckill admin stock."`
}

// Run implements the command.
func (c *salesEditCommand) Run(ctx context.Context, desk *desk) error {
	patch, err := c.patch()
	if err != nil {
		return err
	}
	if err := c.findLimited(ctx, desk, patch.Limits); err != nil {
		return err
	}
	sale, err := desk.EditSale(ctx, c.Sale, c.IfVersion, patch)
	return desk.showSale(sale, err)
}

// findLimited puts ids in the place of SKUs. What is neither is left for the sale to refuse.
func (c *salesEditCommand) findLimited(ctx context.Context, desk *desk, limits []api.LimitChange) error {
	if !slices.ContainsFunc(limits, func(l api.LimitChange) bool { return !isID(l.ItemID) }) {
		return nil
	}
	sale, err := desk.Sale(ctx, c.Sale)
	if err != nil {
		return err
	}
	for i := range limits {
		for _, item := range sale.Items {
			if item.Sku == limits[i].ItemID {
				limits[i].ItemID = item.ID
			}
		}
	}
	return nil
}

func isID(text string) bool {
	_, err := seckill.ParseID(text)
	return err == nil
}

func (c *salesEditCommand) patch() (patch api.SalePatch, err error) {
	if c.File != "" {
		if err := readDocument(c.File, &patch); err != nil {
			return patch, err
		}
	}
	if c.Name != nil {
		patch.Name = c.Name
	}
	if patch.StartsAt, err = readMoment("--starts-at", c.StartsAt, patch.StartsAt); err != nil {
		return patch, err
	}
	if patch.EndsAt, err = readMoment("--ends-at", c.EndsAt, patch.EndsAt); err != nil {
		return patch, err
	}
	if c.PayWithin != 0 {
		seconds := int(c.PayWithin / time.Second)
		patch.PayWithinSeconds = &seconds
	}
	for item, limit := range c.Limit {
		patch.Limits = append(patch.Limits, api.LimitChange{ItemID: item, LimitPerUser: limit})
	}
	if patch.Name == nil && patch.StartsAt == nil && patch.EndsAt == nil && patch.PayWithinSeconds == nil &&
		patch.Items == nil && patch.Limits == nil {
		return patch, errNothing
	}
	return patch, nil
}

// readMoment reads a flag; without it the moment of the file stands.
func readMoment(flag, text string, otherwise *time.Time) (*time.Time, error) {
	if text == "" {
		return otherwise, nil
	}
	at, err := readTime(text, time.Now().UTC())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", flag, err)
	}
	return &at, nil
}

type salesDeleteCommand struct{ saleAtVersion }

// Run implements the command.
func (c *salesDeleteCommand) Run(ctx context.Context, desk *desk) error {
	if err := desk.DeleteSale(ctx, c.Sale, c.IfVersion); err != nil {
		return err
	}
	return desk.show(struct{}{}, func(table *tabwriter.Writer) { _, _ = fmt.Fprintln(table, "deleted") })
}

type salesPreloadCommand struct {
	saleAtVersion
	DryRun bool `help:"Check everything, change nothing."`
}

// Run implements the command.
func (c *salesPreloadCommand) Run(ctx context.Context, desk *desk) error {
	sale, err := desk.Preload(ctx, c.Sale, c.IfVersion, c.DryRun)
	return desk.showSale(sale, err)
}

type salesPauseCommand struct{ saleAtVersion }

// Run implements the command.
func (c *salesPauseCommand) Run(ctx context.Context, desk *desk) error {
	sale, err := desk.Pause(ctx, c.Sale, c.IfVersion)
	return desk.showSale(sale, err)
}

type salesResumeCommand struct{ saleAtVersion }

// Run implements the command.
func (c *salesResumeCommand) Run(ctx context.Context, desk *desk) error {
	sale, err := desk.Resume(ctx, c.Sale, c.IfVersion)
	return desk.showSale(sale, err)
}

type salesEndCommand struct{ saleAtVersion }

// Run implements the command.
func (c *salesEndCommand) Run(ctx context.Context, desk *desk) error {
	sale, err := desk.End(ctx, c.Sale, c.IfVersion)
	return desk.showSale(sale, err)
}

// moment is a time as tables show it.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05Z")
}
