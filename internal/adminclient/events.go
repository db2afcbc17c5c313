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

// DeadEvents lists what an endpoint was not told, oldest first; "" means all of them.
func (c *Client) DeadEvents(ctx context.Context, endpoint string, page Page) (api.DeadEventList, error) {
	query := page.query()
	if endpoint != "" {
		query.Set("endpoint", endpoint)
	}
	return get[api.DeadEventList](ctx, c, eventsPath, query)
}

// ReplayEvents has endpoints told again, some thousands of events at a time.
func (c *Client) ReplayEvents(ctx context.Context, body api.ReplayDeadEvents) (api.DeadEventsDecided, error) {
	return post[api.DeadEventsDecided](ctx, c, eventsPath+"/replay", 0, body)
}

// DiscardEvents gives up telling endpoints, some thousands of events at a time.
func (c *Client) DiscardEvents(ctx context.Context, body api.DiscardDeadEvents) (api.DeadEventsDecided, error) {
	return post[api.DeadEventsDecided](ctx, c, eventsPath+"/discard", 0, body)
}

// ReplayEvent has an endpoint told again.
func (c *Client) ReplayEvent(ctx context.Context, event, endpoint string) (api.DeadEvent, error) {
	return post[api.DeadEvent](ctx, c, eventPath(event, endpoint)+"/replay", 0, nil)
}

// DiscardEvent gives up telling an endpoint of an event.
func (c *Client) DiscardEvent(ctx context.Context, event, endpoint string, body api.DiscardLetter) (api.DeadEvent, error) {
	return post[api.DeadEvent](ctx, c, eventPath(event, endpoint)+"/discard", 0, body)
}
