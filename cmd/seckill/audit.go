package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/seckill-dev/seckill/api"
	"github.com/seckill-dev/seckill/internal/app"
	"github.com/seckill-dev/seckill/internal/seckill"
)

type auditCommand struct {
	Sale string `placeholder:"ID" help:"Only this sale; all sales otherwise."`
	URL  string `placeholder:"URL" help:"Ask the operators' address of a running system instead of reading what is stored."`
	JSON bool   `help:"Print the report as JSON."`
}

// Run implements the command.
func (c *auditCommand) Run(ctx context.Context, cli *commands, console console) error {
	// The report says everything; the log would only repeat it.
	config, err := cli.load(map[string]any{"log.level": "warn"})
	if err != nil {
		return err
	}
	report, err := c.audit(ctx, config, console)
	if err != nil {
		return err
	}
	if c.JSON {
		err = json.NewEncoder(console.out).Encode(report)
	} else {
		err = printReport(console.out, report)
	}
	if err == nil && !report.Ok {
		return errFindings
	}
	return err
}

// audit reads what is stored, or asks the process that has the data folder open.
func (c *auditCommand) audit(ctx context.Context, config app.Config, console console) (api.AuditReport, error) {
	var sale *seckill.ID
	if c.Sale != "" {
		id, err := seckill.ParseID(c.Sale)
		if err != nil {
			return api.AuditReport{}, fmt.Errorf("--sale: %w", err)
		}
		sale = &id
	}
	url := c.URL
	if url == "" {
		report, err := app.AuditOffline(ctx, config, sale, config.Logger(console.err))
		if !errors.Is(err, app.ErrDataInUse) {
			return report, err
		}
		url = config.AdminURL()
	}
	return askAudit(ctx, config, url, sale)
}

func printReport(out io.Writer, report api.AuditReport) error {
	for _, note := range report.Notes {
		if _, err := fmt.Fprintln(out, "note:", note); err != nil {
			return err
		}
	}
	checked := fmt.Sprintf("checked %d items, %d claims, %d orders", report.Checked.Items, report.Checked.Claims, report.Checked.Orders)
	if report.Ok {
		_, err := fmt.Fprintf(out, "audit: everything adds up (%s)\n", checked)
		return err
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, f := range report.Findings {
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", f.ID, f.Table, f.Key, f.Detail)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "audit: %d findings (%s)\n", len(report.Findings), checked)
	return err
}
