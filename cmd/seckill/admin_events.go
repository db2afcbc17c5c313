package main

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"

	"github.com/seckill-dev/seckill/api"
	"github.com/seckill-dev/seckill/internal/adminclient"
)

type adminEventsCommand struct {
	List    eventsListCommand    `cmd:"" help:"List events that endpoints were not told, oldest first."`
	Replay  eventsReplayCommand  `cmd:"" help:"Tell an endpoint again."`
	Discard eventsDiscardCommand `cmd:"" help:"Never tell an endpoint of an event; the log keeps it."`
}

type eventsListCommand struct {
	pageFlags
	Endpoint string `placeholder:"NAME" help:"Only what this endpoint was not told: a webhook's name, or rabbitmq."`
}

// Run implements the command.
func (c *eventsListCommand) Run(ctx context.Context, desk *desk) error {
	events, err := collect(c.pageFlags, func(page adminclient.Page) ([]api.DeadEvent, string, error) {
		list, err := desk.DeadEvents(ctx, c.Endpoint, page)
		return list.Data, list.Next, err
	})
	if err != nil {
		return err
	}
	return desk.show(events, func(table *tabwriter.Writer) {
		if len(events.Data) == 0 {
			_, _ = fmt.Fprintln(table, "everybody was told of everything, or soon will be")
			return
		}
		row(table, "EVENT", "ENDPOINT", "TYPE", "SUBJECT", "VERSION", "AT", "TRIES", "FAILURE")
		for _, e := range events.Data {
			row(table, e.ID, e.Endpoint, e.Type, e.Subject, e.Version, moment(e.At), e.Tries, e.Failure)
		}
		_ = table.Flush()
		more(table, events.Next)
	})
}

type eventsReplayCommand struct{ eventsChoice }

// Run implements the command.
func (c *eventsReplayCommand) Run(ctx context.Context, desk *desk) error {
	one, err := c.one()
	if err != nil {
		return err
	}
	if !one {
		return c.many(ctx, desk)
	}
	event, err := desk.ReplayEvent(ctx, c.Event, c.To)
	return desk.showEvent("will be told again", event, err)
}

type eventsDiscardCommand struct {
	eventsChoice
	Waiting bool   `help:"With --endpoint or --all: also what is still to be told."`
	Reason  string `required:"" placeholder:"TEXT" help:"Why, for the log."`
}

// Run implements the command.
func (c *eventsDiscardCommand) Run(ctx context.Context, desk *desk) error {
	one, err := c.one()
	if err != nil {
		return err
	}
	if !one {
		return c.many(ctx, desk)
	}
	if c.Waiting {
		return errors.New("--waiting: goes together with --endpoint or --all")
	}
	event, err := desk.DiscardEvent(ctx, c.Event, c.To, api.DiscardLetter{Reason: c.Reason})
	return desk.showEvent("will never be told", event, err)
}

func (d *desk) showEvent(what string, event api.DeadEvent, err error) error {
	if err != nil {
		return err
	}
	return d.show(event, func(table *tabwriter.Writer) {
		_, _ = fmt.Fprintf(table, "%s: %s to %s\n", event.ID, what, event.Endpoint)
	})
}
