package adminclient

import (
	"context"
	"net/http"
	"net/url"

	"github.com/seckill-dev/seckill/api"
)

const salesPath = "/admin/v1/sales"

func salePath(sale string) string { return salesPath + "/" + url.PathEscape(sale) }

// Sales lists sales, newest first; state "" means all.
func (c *Client) Sales(ctx context.Context, state string, page Page) (api.AdminSaleList, error) {
	query := page.query()
	if state != "" {
		query.Set("state", state)
	}
	return get[api.AdminSaleList](ctx, c, salesPath, query)
}

// Sale reads one.
func (c *Client) Sale(ctx context.Context, sale string) (api.AdminSale, error) {
	return get[api.AdminSale](ctx, c, salePath(sale), nil)
}

// CreateSale makes a draft.
func (c *Client) CreateSale(ctx context.Context, sale api.NewSale) (api.AdminSale, error) {
	return post[api.AdminSale](ctx, c, salesPath, 0, sale)
}

// EditSale changes what the patch says.
func (c *Client) EditSale(ctx context.Context, sale string, version int64, patch api.SalePatch) (answer api.AdminSale, err error) {
	err = c.do(ctx, call{method: http.MethodPatch, path: salePath(sale), version: version, body: patch}, &answer)
	return answer, err
}

// DeleteSale deletes a draft.
func (c *Client) DeleteSale(ctx context.Context, sale string, version int64) error {
	return c.do(ctx, call{method: http.MethodDelete, path: salePath(sale), version: version}, nil)
}

// Preload schedules a draft and lends its units; a dry run only looks.
func (c *Client) Preload(ctx context.Context, sale string, version int64, dryRun bool) (answer api.AdminSale, err error) {
	preload := call{method: http.MethodPost, path: salePath(sale) + "/preload", version: version}
	if dryRun {
		preload.query = url.Values{"dry_run": {"true"}}
	}
	err = c.do(ctx, preload, &answer)
	return answer, err
}

// Pause stops selling for now.
func (c *Client) Pause(ctx context.Context, sale string, version int64) (api.AdminSale, error) {
	return post[api.AdminSale](ctx, c, salePath(sale)+"/pause", version, nil)
}

// Resume goes on selling.
func (c *Client) Resume(ctx context.Context, sale string, version int64) (api.AdminSale, error) {
	return post[api.AdminSale](ctx, c, salePath(sale)+"/resume", version, nil)
}

// End ends a sale for good.
func (c *Client) End(ctx context.Context, sale string, version int64) (api.AdminSale, error) {
	return post[api.AdminSale](ctx, c, salePath(sale)+"/end", version, nil)
}

// Stats says where the units of a sale are.
func (c *Client) Stats(ctx context.Context, sale string) (api.SaleStats, error) {
	return get[api.SaleStats](ctx, c, salePath(sale)+"/stats", nil)
}

// Audit has the books of one sale checked, or of all ("").
func (c *Client) Audit(ctx context.Context, sale string) (report api.AuditReport, err error) {
	path := "/admin/v1/audit"
	if sale != "" {
		path = salePath(sale) + "/audit"
	}
	err = c.do(ctx, call{method: http.MethodGet, path: path, within: auditTimeout}, &report)
	return report, err
}
