package httpapi

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/seckill-dev/seckill/api"
	"github.com/seckill-dev/seckill/internal/operate"
	"github.com/seckill-dev/seckill/internal/seckill"
)

func (o *operators) createSale(ctx context.Context, c *gin.Context, actor string) error {
	var body api.NewSale
	if err := decode(c, saleBodyMax, &body); err != nil {
		return err
	}
	sale, err := o.operations.Create(ctx, actor, operate.Draft{
		Name: body.Name, StartsAt: body.StartsAt, EndsAt: body.EndsAt,
		PayWithin: seconds(body.PayWithinSeconds), Items: newItems(body.Items),
	})
	// A draft was made at the database's now and has no stock yet, so nothing else must be read for the answer.
	report := operate.SaleReport{Sale: sale, Now: sale.CreatedAt}
	return o.operated(ctx, c, actor, http.StatusCreated, report, err)
}

// listSales shows every sale, drafts included, newest first.
func (o *operators) listSales(ctx context.Context, c *gin.Context, _ string) error {
	asked, err := queryOf(c)
	if err != nil {
		return err
	}
	state, err := asked.state(seckill.SaleStates())
	if err != nil {
		return err
	}
	page, err := asked.page()
	if err != nil {
		return err
	}
	query := seckill.SaleQuery{After: page.after, Limit: page.limit}
	if state != "" {
		query.States = []seckill.SaleState{state}
	}
	found, err := o.operations.List(ctx, query)
	if err != nil {
		return err
	}
	list := api.AdminSaleList{Data: make([]api.AdminSale, len(found.Sales))}
	for i, report := range found.Sales {
		list.Data[i] = wireReport(report)
	}
	if found.Next > 0 {
		list.Next = cursorOf(found.Next)
	}
	return o.reply(c, http.StatusOK, list)
}

func (o *operators) getSale(ctx context.Context, c *gin.Context, _ string) error {
	id, err := pathID(c, "sale_id")
	if err != nil {
		return err
	}
	report, err := o.operations.Get(ctx, id)
	if err != nil {
		return err
	}
	tagSale(c, report.Sale)
	return o.reply(c, http.StatusOK, wireReport(report))
}

func (o *operators) updateSale(ctx context.Context, c *gin.Context, actor string) error {
	id, err := pathID(c, "sale_id")
	if err != nil {
		return err
	}
	var body api.SalePatch
	if err := decode(c, saleBodyMax, &body); err != nil {
		return hintItems(err)
	}
	patch, err := patchOf(body)
	if err != nil {
		return err
	}
	if patch.Version, err = ifMatch(c.Request.Header[matchHeader]); err != nil {
		return err
	}
	report, err := o.operations.Update(ctx, actor, id, patch)
	return o.operated(ctx, c, actor, http.StatusOK, report, err)
}

// hintItems tells who sends a part of an item how items are changed.
func hintItems(err error) error {
	var refusal *seckill.Refusal
	if !errors.As(err, &refusal) || !strings.HasPrefix(refusal.Field, "items") {
		return err
	}
	hinted := *refusal
	hinted.Detail += "; items replaces all items of a draft, each as a whole. In a sale that is no draft " + operate.ItemsHint
	return &hinted
}

func (o *operators) deleteSale(ctx context.Context, c *gin.Context, actor string) error {
	id, err := pathID(c, "sale_id")
	if err != nil {
		return err
	}
	version, err := ifMatch(c.Request.Header[matchHeader])
	if err != nil {
		return err
	}
	if err := o.operations.Delete(ctx, actor, id, version); err != nil {
		return err
	}
	c.Writer.WriteHeader(http.StatusNoContent)
	c.Writer.WriteHeaderNow()
	o.noteOperated(ctx, c, actor, c.FullPath())
	return nil
}

func (o *operators) preloadSale(ctx context.Context, c *gin.Context, actor string) error {
	id, err := pathID(c, "sale_id")
	if err != nil {
		return err
	}
	asked, err := queryOf(c)
	if err != nil {
		return err
	}
	dryRun, err := asked.flag("dry_run")
	if err != nil {
		return err
	}
	if !dryRun {
		return o.turnSale(operate.ActPreload)(ctx, c, actor)
	}
	report, err := o.operations.Preload(ctx, actor, id, true)
	return o.operated(ctx, c, actor, http.StatusOK, report, err)
}

// turnSale is pause, resume or end, or a preload that is no dry run.
func (o *operators) turnSale(act operate.SaleAct) operatorHandler {
	return func(ctx context.Context, c *gin.Context, actor string) error {
		id, err := pathID(c, "sale_id")
		if err != nil {
			return err
		}
		version, err := ifMatch(c.Request.Header[matchHeader])
		if err != nil {
			return err
		}
		report, err := o.operations.Turn(ctx, operate.Turn{Actor: actor, Sale: id, Act: act, Version: version})
		return o.operated(ctx, c, actor, http.StatusOK, report, err)
	}
}

func (o *operators) operated(ctx context.Context, c *gin.Context, actor string, status int, report operate.SaleReport, err error) error {
	if err != nil {
		return err
	}
	tagSale(c, report.Sale)
	if err := o.reply(c, status, wireReport(report)); err != nil {
		return err
	}
	o.noteOperated(ctx, c, actor, c.FullPath())
	return nil
}

// tagSale says at which version a sale is.
func tagSale(c *gin.Context, sale seckill.Sale) {
	c.Writer.Header().Set("ETag", strconv.Quote(strconv.FormatInt(sale.Version, 10)))
}

func patchOf(body api.SalePatch) (operate.Patch, error) {
	patch := operate.Patch{Name: body.Name, StartsAt: body.StartsAt, EndsAt: body.EndsAt}
	if body.PayWithinSeconds != nil {
		within := seconds(*body.PayWithinSeconds)
		patch.PayWithin = &within
	}
	if body.Items != nil {
		patch.Items = newItems(body.Items)
	}
	for i, change := range body.Limits {
		item, err := seckill.ParseID(change.ItemID)
		if err != nil {
			return operate.Patch{}, seckill.InvalidField(index("limits", i)+".item_id", err.Error())
		}
		patch.Limits = append(patch.Limits, operate.LimitChange{Item: item, LimitPerUser: change.LimitPerUser})
	}
	return patch, nil
}

func newItems(items []api.NewItem) []operate.DraftItem {
	all := make([]operate.DraftItem, len(items))
	for i, item := range items {
		all[i] = operate.DraftItem{
			SKU: item.Sku, Title: item.Title, PriceMinor: *item.PriceMinor, Currency: item.Currency,
			Allotment: item.Allotment, LimitPerUser: item.LimitPerUser, OneTry: item.OneTry,
		}
	}
	return all
}

// secondsMax keeps what is far too long from overflowing into something that is not.
const secondsMax = 1 << 31

func seconds(n int) time.Duration { return time.Duration(max(min(n, secondsMax), -1)) * time.Second }

func wireReport(report operate.SaleReport) api.AdminSale {
	sale := report.Sale
	wire := api.AdminSale{
		ID: sale.ID.String(), Name: sale.Name, State: api.SaleState(sale.State), StartsAt: sale.StartsAt.UTC(),
		EndsAt: sale.EndsAt.UTC(), ServerTime: report.Now.UTC(), PayWithinSeconds: int(sale.PayWithin / time.Second),
		Version: sale.Version, Items: make([]api.AdminItem, len(sale.Items)),
	}
	for i, item := range sale.Items {
		wire.Items[i] = wireAdminItem(report, item)
	}
	for _, check := range report.Checks {
		wire.Checks = append(wire.Checks, api.Check{ItemID: check.Item.String(), Ok: check.OK, Detail: check.Detail})
	}
	return wire
}

func wireAdminItem(report operate.SaleReport, item seckill.Item) api.AdminItem {
	wire := api.AdminItem{
		ID: item.ID.String(), SaleID: item.Sale.String(), Sku: item.SKU, Title: item.Title, PriceMinor: item.PriceMinor,
		Currency: item.Currency, LimitPerUser: item.LimitPerUser, OneTry: item.OneTry, State: api.SaleState(report.Sale.State),
		Allotment: item.Allotment, StockState: api.StockState(report.StockState(item.ID)),
	}
	if stock, exists := report.Stocks[item.ID]; exists {
		wire.Allotted = &stock.Allotted
	}
	return wire
}
