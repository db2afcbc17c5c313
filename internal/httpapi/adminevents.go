package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/seckill-dev/seckill/api"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// eventRoutes are for what endpoints were not told.
func (o *operators) eventRoutes(engine *gin.Engine) {
	const events, dead = "/admin/v1/dead-events", "/admin/v1/dead-events/:event_id/:endpoint"
	o.route(engine, http.MethodGet, events, operateTimeout, o.operator(o.listDeadEvents))
	o.route(engine, http.MethodPost, events+"/replay", operateTimeout, o.operator(o.replayEvents))
	o.route(engine, http.MethodPost, events+"/discard", operateTimeout, o.operator(o.discardEvents))
	o.route(engine, http.MethodPost, dead+"/replay", operateTimeout, o.operator(o.replayEvent))
	o.route(engine, http.MethodPost, dead+"/discard", operateTimeout, o.operator(o.discardEvent))
}

// listDeadEvents shows what endpoints were not told, oldest first.
func (o *operators) listDeadEvents(ctx context.Context, c *gin.Context, _ string) error {
	asked, err := queryOf(c)
	if err != nil {
		return err
	}
	page, err := asked.page()
	if err != nil {
		return err
	}
	endpoint, given, err := asked.one("endpoint")
	if err != nil {
		return err
	}
	if given && !seckill.IsEndpointName(endpoint) {
		return invalidEndpoint()
	}
	found, err := o.operations.DeadEvents(ctx, endpoint, page.after, page.limit)
	if err != nil {
		return err
	}
	list := api.DeadEventList{Data: make([]api.DeadEvent, len(found.Dead))}
	for i, dead := range found.Dead {
		if list.Data[i], err = wireDeadEvent(dead); err != nil {
			return err
		}
	}
	if found.Next > 0 {
		list.Next = cursorOf(found.Next)
	}
	return o.reply(c, http.StatusOK, list)
}

func (o *operators) replayEvent(ctx context.Context, c *gin.Context, actor string) error {
	event, endpoint, err := pathEvent(c)
	if err != nil {
		return err
	}
	dead, err := o.operations.ReplayEvent(ctx, actor, endpoint, event)
	return o.decidedEvent(ctx, c, actor, dead, err)
}

func (o *operators) discardEvent(ctx context.Context, c *gin.Context, actor string) error {
	event, endpoint, err := pathEvent(c)
	if err != nil {
		return err
	}
	var body api.DiscardLetter
	if err := decode(c, bodyMax, &body); err != nil {
		return err
	}
	dead, err := o.operations.DiscardEvent(ctx, actor, endpoint, event, body.Reason)
	return o.decidedEvent(ctx, c, actor, dead, err)
}

// pathEvent reads an event's id and an endpoint's name from the path.
func pathEvent(c *gin.Context) (seckill.ID, string, error) {
	event, err := pathID(c, "event_id")
	if err != nil {
		return 0, "", err
	}
	endpoint := c.Param("endpoint")
	if !seckill.IsEndpointName(endpoint) {
		return 0, "", invalidEndpoint()
	}
	return event, endpoint, nil
}

func invalidEndpoint() error {
	return seckill.InvalidField("endpoint", "an endpoint's name has 1-64 small letters, digits or dashes")
}

func (o *operators) decidedEvent(ctx context.Context, c *gin.Context, actor string, dead seckill.Dispatch, err error) error {
	if err != nil {
		return err
	}
	wire, err := wireDeadEvent(dead)
	if err != nil {
		return err
	}
	if err := o.reply(c, http.StatusOK, wire); err != nil {
		return err
	}
	o.noteOperated(ctx, c, actor, c.FullPath())
	return nil
}

func wireDeadEvent(dead seckill.Dispatch) (api.DeadEvent, error) {
	wire := api.DeadEvent{
		ID: dead.ID.String(), Type: string(dead.Type), Subject: dead.Subject.String(), Version: dead.Version,
		Endpoint: dead.Endpoint, Tries: dead.Tries, Failure: dead.Failure, Since: dead.Since.UTC(), At: dead.At.UTC(),
	}
	if err := json.Unmarshal(dead.Data, &wire.Data); err != nil {
		return api.DeadEvent{}, fmt.Errorf("read the data of event %s: %w", dead.ID, err)
	}
	return wire, nil
}
