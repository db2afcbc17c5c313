package adminclient

import (
	"context"
	"net/url"

	"github.com/seckill-dev/seckill/api"
)

const eventsPath = "/admin/v1/dead-events"

func eventPath(event, endpoint string) string {
	return eventsPath + "/" + url.PathEscape(event) + "/" + url.PathEscape(endpoint)
}

// DeadEvents lists what endpoints were not told, oldest first.
func (c *Client) DeadEvents(ctx context.Context, page Page) (api.DeadEventList, error) {
	return get[api.DeadEventList](ctx, c, eventsPath, page.query())
}

// ReplayEvent has an endpoint told again.
func (c *Client) ReplayEvent(ctx context.Context, event, endpoint string) (api.DeadEvent, error) {
	return post[api.DeadEvent](ctx, c, eventPath(event, endpoint)+"/replay", 0, nil)
}

// DiscardEvent gives up telling an endpoint of an event.
func (c *Client) DiscardEvent(ctx context.Context, event, endpoint string, body api.DiscardLetter) (api.DeadEvent, error) {
	return post[api.DeadEvent](ctx, c, eventPath(event, endpoint)+"/discard", 0, body)
}
