package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/seckill-dev/seckill/api"
	"github.com/seckill-dev/seckill/internal/adminclient"
)

type adminLogCommand struct {
	Target string `placeholder:"ID" help:"Only what was done to this sale and its items, item, order or dead letter."`
	Actor  string `placeholder:"NAME" help:"Only what this one did, like operator:ada."`
	pageFlags
}

// loggedMax bounds how much of an act a table shows, in characters.
const loggedMax = 120

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
			row(table, moment(act.At), act.Actor, act.Action, act.Target, change(act))
		}
		more(table, acts.Next)
	})
}

// change is what differs between before and after, as much of it as fits in a line; --json has all of it.
func change(act api.Act) string {
	var changes []string
	for _, key := range slices.Sorted(maps.Keys(act.After)) {
		before, known := act.Before[key]
		switch after := act.After[key]; {
		case !known:
			changes = append(changes, fmt.Sprintf("%s: %s", key, asJSON(after)))
		case asJSON(before) != asJSON(after):
			changes = append(changes, fmt.Sprintf("%s: %s -> %s", key, asJSON(before), asJSON(after)))
		}
	}
	line := []rune(strings.Join(changes, ", "))
	if len(line) > loggedMax {
		line = append(line[:loggedMax], '…')
	}
	return string(line)
}

func asJSON(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		return ""
	}
	return string(text)
}
