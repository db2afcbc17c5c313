package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/user"
	"text/tabwriter"

	"github.com/seckill-dev/seckill/internal/app"
	"github.com/seckill-dev/seckill/internal/archive"
	"github.com/seckill-dev/seckill/internal/seckill"
)

type archiveCommand struct {
	Sale   string `required:"" placeholder:"ID" help:"The sale; it has ended, and nothing of it is owed any more."`
	Export string `type:"path" placeholder:"FILE" help:"Write claims, orders and money to a file, as gzipped lines of JSON. An earlier export of this sale is replaced, no other file."`
	Force  bool   `help:"Let --export replace whatever file is there."`
	JSON   bool   `help:"Print the summary as JSON."`
}

// archiveActor is who the log says has put a sale away: a user of this machine, who may read the configuration.
func archiveActor() string {
	const actor, nameMax = "command", 64 // what a system allows is shorter, and the log's column longer
	here, err := user.Current()
	if err != nil || here.Username == "" || len(here.Username) > nameMax {
		return actor
	}
	return actor + ":" + here.Username
}

// Run implements the command.
func (c *archiveCommand) Run(ctx context.Context, cli *commands, console console) error {
	sale, err := seckill.ParseID(c.Sale)
	if err != nil {
		return fmt.Errorf("--sale: %w", err)
	}
	if c.Force && c.Export == "" {
		return errors.New("--force: says nothing without --export")
	}
	config, err := cli.load(map[string]any{"log.level": "warn"})
	if err != nil {
		return err
	}
	result, err := app.Archive(ctx, config, sale, archiveActor(), app.ArchiveExport{Path: c.Export, Force: c.Force}, config.Logger(console.err))
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(console.out).Encode(result.Summary)
	}
	return c.print(console.out, result)
}

func (c *archiveCommand) print(out io.Writer, result app.Archived) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(table, "sku\tallotted\tclaimed\tpaid\trefunded\tcancelled\tcharged\tgiven back\t")
	for _, item := range result.Summary.Items {
		_, _ = fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%d\t%d\t%s\t%s\t\n", item.SKU, item.Allotted, item.Claimed,
			item.Orders[seckill.OrderPaid].Units, item.Orders[seckill.OrderRefunded].Units, item.Orders[seckill.OrderCancelled].Units,
			seckill.Amount(item.ChargedMinor, item.Currency), seckill.Amount(item.RefundedMinor, item.Currency))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if c.Export != "" {
		instead := ""
		if result.Replaced {
			instead = ", in place of the file that was there"
		}
		if _, err := fmt.Fprintf(out, "%d lines are in %s%s\n", result.Lines, c.Export, instead); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(out, "sale %s (%s) %s\n", result.Summary.Sale, result.Summary.Name, putAway(result.Result))
	return err
}

func putAway(result archive.Result) string {
	if !result.Before {
		return "is put away"
	}
	text := "was put away before, at " + moment(result.At)
	if result.Changed {
		text += "; the summary was not true any more and is written anew"
	}
	return text
}
