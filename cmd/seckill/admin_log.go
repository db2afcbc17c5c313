package main

import (
	"context"
	"text/tabwriter"

	"github.com/seckill-dev/seckill/api"
	"github.com/seckill-dev/seckill/internal/adminclient"
)

type adminLogCommand struct {
	Target string `placeholder:"ID" help:"Only what was done to this sale and its items, item, order or dead letter."`
	Actor  string `placeholder:"NAME" help:"Only what this one did, like operator:ada."`
	pageFlags
}

// Run implements the command.
func (c *adminLogCommand) Run(ctx context.Context, desk *desk) error {
	acts, err := collect(c.pageFlags, func(page adminclient.Page) ([]api.Act, string, error) {
		list, err := desk.Log(ctx, c.Target, c.Actor, page)
		return list.Data, list.Next, err
	})
	if err != nil {
		return err
	}
	return desk.show(acts, func(table *tabwriter.Writer) {
		row(table, "AT", "ACTOR", "ACTION", "TARGET", "WHAT")
		for _, act := range acts.Data {
			row(table, moment(act.At), act.Actor, act.Action, act.Target, inLine(changesOf(act)))
		}
		more(table, acts.Next)
	})
}
