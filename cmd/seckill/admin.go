package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/seckill-dev/seckill/internal/adminclient"
	"github.com/seckill-dev/seckill/internal/app"
)

// adminCommand operates a running system. What must not be seen by everybody on the machine, the key, comes from a file or
// the environment and never from an argument.
type adminCommand struct {
	URL     string `placeholder:"URL" env:"SECKILL_ADMIN_URL" help:"Operators' address of the running system; otherwise the configured one on this machine."`
	KeyFile string `type:"path" placeholder:"FILE" help:"File with an operator's key; otherwise the environment's SECKILL_OPERATOR_KEY, or the configured key."`
	JSON    bool   `help:"Print what the system answered, for scripts."`

	Sales   adminSalesCommand   `cmd:"" help:"Make sales and move them."`
	Stats   adminStatsCommand   `cmd:"" help:"Show where the units of a sale are."`
	Stock   adminStockCommand   `cmd:"" help:"Add units to an item, or take some away, while its sale runs."`
	Reopen  adminReopenCommand  `cmd:"" help:"Let an item be sold again that was halted, after you have looked why."`
	Orders  adminOrdersCommand  `cmd:"" help:"Look at orders, cancel and refund them."`
	Letters adminLettersCommand `cmd:"" help:"Look at dead letters, replay and discard them."`
	Events  adminEventsCommand  `cmd:"" help:"Look at events that endpoints were not told, replay and discard them."`
	Log     adminLogCommand     `cmd:"" help:"Show who did what."`
}

// Help is the end of `seckill admin --help`.
func (adminCommand) Help() string {
	return fmt.Sprintf("Exits 0 when it is done, %d when repeating the same command may help (nobody answered, or the system is busy), and 1 otherwise.", exitAgain)
}

const operatorKeyVariable = "SECKILL_OPERATOR_KEY"

// desk is an operator at a running system, and how he wants to be answered.
type desk struct {
	*adminclient.Client
	out  io.Writer
	json bool
}

// ProvideDesk makes the desk of every subcommand.
func (c *adminCommand) ProvideDesk(cli *commands, console console) (*desk, error) {
	config, err := cli.load(map[string]any{})
	if err != nil {
		return nil, err
	}
	key, err := c.key(config)
	if err != nil {
		return nil, err
	}
	url := c.URL
	if url == "" {
		url = config.AdminURL()
	}
	client, err := operatorAt(url, key)
	if err != nil {
		return nil, err
	}
	return &desk{client, console.out, c.JSON}, nil
}

func (c *adminCommand) key(config app.Config) (string, error) {
	if c.KeyFile != "" {
		key, err := app.ReadSecret(c.KeyFile)
		if err != nil {
			return "", fmt.Errorf("--key-file: %w", err)
		}
		return key, nil
	}
	if key := os.Getenv(operatorKeyVariable); key != "" {
		return key, nil
	}
	return operatorKey(config)
}

// show prints an answer: as it came, or as people read it.
func (d *desk) show(answer any, people func(table *tabwriter.Writer)) error {
	if d.json {
		return json.NewEncoder(d.out).Encode(answer)
	}
	table := tabwriter.NewWriter(d.out, 0, 0, 2, ' ', 0)
	people(table)
	return table.Flush()
}

// row writes one line of a table; an empty cell is a dash.
func row(table io.Writer, cells ...any) {
	texts := make([]string, len(cells))
	for i, cell := range cells {
		if texts[i] = fmt.Sprint(cell); texts[i] == "" {
			texts[i] = "-"
		}
	}
	_, _ = fmt.Fprintln(table, strings.Join(texts, "\t"))
}

// pageFlags say which part of a list is wanted.
type pageFlags struct {
	Limit  int    `default:"20" help:"How many lines on a page."`
	Cursor string `placeholder:"CURSOR" help:"Go on where the page before ended."`
	All    bool   `help:"Read every page."`
}

// list is a list as the API answers it.
type list[T any] struct {
	Data []T    `json:"data"`
	Next string `json:"next,omitempty"`
}

// collect reads one page, or all of them into one list.
func collect[T any](f pageFlags, fetch func(adminclient.Page) ([]T, string, error)) (list[T], error) {
	all := list[T]{Data: []T{}}
	page := adminclient.Page{Cursor: f.Cursor, Limit: f.Limit}
	for {
		data, next, err := fetch(page)
		if err != nil {
			return list[T]{}, err
		}
		all.Data, all.Next = append(all.Data, data...), next
		if !f.All || next == "" {
			return all, nil
		}
		page.Cursor = next
	}
}

// more says how to see what does not fit on the page.
func more(out io.Writer, next string) {
	if next != "" {
		_, _ = fmt.Fprintf(out, "there are more: --cursor %s, or --all\n", next)
	}
}

var errNothing = errors.New("say what to change")
