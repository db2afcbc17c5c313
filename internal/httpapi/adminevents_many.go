package httpapi

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/seckill-dev/seckill/api"
	"github.com/seckill-dev/seckill/internal/operate"
	"github.com/seckill-dev/seckill/internal/seckill"
)

func (o *operators) replayEvents(ctx context.Context, c *gin.Context, actor string) error {
	var body api.ReplayDeadEvents
	if err := decode(c, bodyMax, &body); err != nil {
		return err
	}
	choice, err := deadChoice(body)
	if err != nil {
		return err
	}
	decided, err := o.operations.ReplayEvents(ctx, actor, choice)
	return o.decidedEvents(ctx, c, actor, decided, err)
}

func (o *operators) discardEvents(ctx context.Context, c *gin.Context, actor string) error {
	var body api.DiscardDeadEvents
	if err := decode(c, bodyMax, &body); err != nil {
		return err
	}
	choice, err := deadChoice(api.ReplayDeadEvents{Endpoint: body.Endpoint, All: body.All, Cursor: body.Cursor})
	if err != nil {
		return err
	}
	choice.Waiting = body.Waiting
	decided, err := o.operations.DiscardEvents(ctx, actor, choice, body.Reason)
	return o.decidedEvents(ctx, c, actor, decided, err)
}

// deadChoice reads which dead events are meant.
func deadChoice(body api.ReplayDeadEvents) (operate.DeadChoice, error) {
	choice := operate.DeadChoice{Endpoint: body.Endpoint, All: body.All}
	if body.Endpoint != "" && !seckill.IsEndpointName(body.Endpoint) {
		return operate.DeadChoice{}, invalidEndpoint()
	}
	if body.Cursor == "" {
		return choice, nil
	}
	after, err := readCursor(body.Cursor)
	if err != nil {
		return operate.DeadChoice{}, seckill.InvalidField("cursor", "this is not the next of a call before")
	}
	choice.After = after
	return choice, nil
}

func (o *operators) decidedEvents(ctx context.Context, c *gin.Context, actor string, decided operate.ManyDecided, err error) error {
	if err != nil {
		return err
	}
	wire := api.DeadEventsDecided{Count: decided.Count}
	if decided.Next > 0 {
		wire.Next = cursorOf(decided.Next)
	}
	if err := o.reply(c, http.StatusOK, wire); err != nil {
		return err
	}
	o.noteOperated(ctx, c, actor, c.FullPath())
	return nil
}
