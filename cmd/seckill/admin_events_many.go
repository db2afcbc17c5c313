package main

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"

	"github.com/seckill-dev/seckill/api"
)

// eventsChoice says which dead events are meant: one, those of one endpoint, or all.
type eventsChoice struct {
	Event    string `arg:"" optional:"" placeholder:"EVENT" help:"The id of one event."`
	To       string `arg:"" optional:"" name:"to" placeholder:"ENDPOINT" help:"Who was not told of that one: a webhook's name, or rabbitmq."`
	Endpoint string `placeholder:"NAME" help:"Every event that this endpoint was not told."`
	All      bool   `help:"Every event that any endpoint was not told."`
}

var errNoChoice = errors.New("say which events: one as EVENT ENDPOINT, those of an endpoint with --endpoint NAME, or all with --all")

// one says that a single event is meant. A choice of nothing is refused, and so is one of one and many.
func (c *eventsChoice) one() (bool, error) {
	single, many := c.Event != "" && c.To != "", c.Endpoint != "" || c.All
	if single == many || !single && c.Event != "" || c.Endpoint != "" && c.All {
		return false, errNoChoice
	}
	return single, nil
}

// decideEvents calls decide until nothing is left, and shows how many were decided about. What was done before a failure
// stays done.
func (d *desk) decideEvents(what string, decide func(cursor string) (api.DeadEventsDecided, error)) error {
	var all api.DeadEventsDecided
	for {
		some, err := decide(all.Next)
		if err != nil && all.Count > 0 {
			return fmt.Errorf("after the first %d: %w", all.Count, err)
		}
		if err != nil {
			return err
		}
		all.Count += some.Count
		if all.Next = some.Next; all.Next == "" {
			return d.show(all, func(table *tabwriter.Writer) { _, _ = fmt.Fprintf(table, "%d %s\n", all.Count, what) })
		}
	}
}

func (c *eventsReplayCommand) many(ctx context.Context, desk *desk) error {
	return desk.decideEvents("will be told again", func(cursor string) (api.DeadEventsDecided, error) {
		return desk.ReplayEvents(ctx, api.ReplayDeadEvents{Endpoint: c.Endpoint, All: c.All, Cursor: cursor})
	})
}

func (c *eventsDiscardCommand) many(ctx context.Context, desk *desk) error {
	return desk.decideEvents("will never be told", func(cursor string) (api.DeadEventsDecided, error) {
		return desk.DiscardEvents(ctx, api.DiscardDeadEvents{Endpoint: c.Endpoint, All: c.All, Cursor: cursor, Reason: c.Reason, Waiting: c.Waiting})
	})
}
