package adminclient

import (
	"context"
	"net/url"

	"github.com/seckill-dev/seckill/api"
)

const (
	ordersPath  = "/admin/v1/orders"
	lettersPath = "/admin/v1/dead-letters"
)

func orderPath(order string) string   { return ordersPath + "/" + url.PathEscape(order) }
func letterPath(letter string) string { return lettersPath + "/" + url.PathEscape(letter) }

// ReopenStock lets an item be sold again that was halted. It may be repeated.
func (c *Client) ReopenStock(ctx context.Context, item, reason string) (api.StockReopened, error) {
	return post[api.StockReopened](ctx, c, "/admin/v1/items/"+url.PathEscape(item)+"/reopen", 0, api.ReopenStock{Reason: reason})
}

// AdjustStock adds units to an item, or takes some away. It may be repeated with the same op.
func (c *Client) AdjustStock(ctx context.Context, item string, adjustment api.StockAdjustment) (api.StockAdjusted, error) {
	return post[api.StockAdjusted](ctx, c, "/admin/v1/items/"+url.PathEscape(item)+"/stock", 0, adjustment)
}

// Orders lists a user's orders, newest first.
func (c *Client) Orders(ctx context.Context, user string, page Page) (api.AdminOrderList, error) {
	query := page.query()
	query.Set("user", user)
	return get[api.AdminOrderList](ctx, c, ordersPath, query)
}

// Order reads one, with what became of it.
func (c *Client) Order(ctx context.Context, order string) (api.AdminOrder, error) {
	return get[api.AdminOrder](ctx, c, orderPath(order), nil)
}

// CancelOrder cancels an unpaid order.
func (c *Client) CancelOrder(ctx context.Context, order string, version int64, body api.CancelOrder) (api.AdminOrder, error) {
	return post[api.AdminOrder](ctx, c, orderPath(order)+"/cancel", version, body)
}

// RefundOrder gives the money of a paid order back.
func (c *Client) RefundOrder(ctx context.Context, order string, version int64, body api.RefundOrder) (api.AdminOrder, error) {
	return post[api.AdminOrder](ctx, c, orderPath(order)+"/refund", version, body)
}

// DeadLetters lists what nobody could settle, oldest first.
func (c *Client) DeadLetters(ctx context.Context, page Page) (api.DeadLetterList, error) {
	return get[api.DeadLetterList](ctx, c, lettersPath, page.query())
}

// DeadLetter reads one with its bytes.
func (c *Client) DeadLetter(ctx context.Context, letter string) (api.DeadLetter, error) {
	return get[api.DeadLetter](ctx, c, letterPath(letter), nil)
}

// Replay puts a dead letter back into its queue.
func (c *Client) Replay(ctx context.Context, letter string) (api.DeadLetter, error) {
	return post[api.DeadLetter](ctx, c, letterPath(letter)+"/replay", 0, nil)
}

// Discard drops a dead letter for good.
func (c *Client) Discard(ctx context.Context, letter string, body api.DiscardLetter) (api.DeadLetter, error) {
	return post[api.DeadLetter](ctx, c, letterPath(letter)+"/discard", 0, body)
}

// Log reads who did what, newest first; target and actor "" mean all.
func (c *Client) Log(ctx context.Context, target, actor string, page Page) (api.ActList, error) {
	query := page.query()
	if target != "" {
		query.Set("target", target)
	}
	if actor != "" {
		query.Set("actor", actor)
	}
	return get[api.ActList](ctx, c, "/admin/v1/log", query)
}
