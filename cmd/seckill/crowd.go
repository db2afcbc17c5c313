package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/seckill-dev/seckill/internal/app"
	"github.com/seckill-dev/seckill/internal/crowd"
	"github.com/seckill-dev/seckill/internal/identity"
	"github.com/seckill-dev/seckill/internal/seckill"
)

type crowdCommand struct {
	Shoppers    int           `default:"5000" help:"How many shoppers."`
	Concurrency int           `default:"256" help:"How many requests are under way at once."`
	URL         []string      `placeholder:"URL" help:"Shoppers' address, once for each api; otherwise the configured one on this machine."`
	AdminURL    string        `placeholder:"URL" help:"Operators' address, for the audit; otherwise the configured one on this machine."`
	Sale        string        `placeholder:"ID" help:"The sale; otherwise the one that is live or opens next."`
	Item        string        `placeholder:"ID" help:"The item; otherwise the first one of the sale."`
	Register    bool          `help:"Register accounts and log in instead of minting tokens."`
	Seed        uint64        `help:"Repeat the choices of another run."`
	Spread      time.Duration `default:"1s" help:"Over how long the crowd arrives."`
	Patience    time.Duration `default:"1m" help:"Give up when nobody got anywhere for so long."`

	Mix           string        `placeholder:"PART=N,…" help:"What shoppers do about their orders, as weights: pay, abandon, cancel, late, twice, again; otherwise they only look."`
	UntilSold     bool          `help:"With --mix: whoever was too late waits until every unit is paid."`
	CloseWithin   time.Duration `default:"5s" help:"How soon after its deadline an unpaid order must be cancelled."`
	LedgerURL     string        `placeholder:"URL" help:"The payment sandbox, whose ledger is held against the orders."`
	LedgerKeyFile string        `type:"path" placeholder:"FILE" help:"Its key."`

	Ledger string `type:"path" placeholder:"FILE" help:"Write every answer to a file, one JSON line each."`
	Quiet  bool   `help:"Leave out the progress."`
}

const crowdTokenTTL = 2 * time.Hour

// Run implements the command.
func (c *crowdCommand) Run(ctx context.Context, cli *commands, console console) (err error) {
	if err := c.check(); err != nil {
		return err
	}
	config, err := cli.load(map[string]any{})
	if err != nil {
		return err
	}
	plan, err := c.plan(config, console)
	if err != nil {
		return err
	}
	if c.Ledger != "" {
		file, err := os.Create(c.Ledger)
		if err != nil {
			return fmt.Errorf("--ledger: %w", err)
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		plan.Ledger = io.Writer(file)
	}
	report, err := crowd.Run(ctx, plan)
	if err != nil {
		return err
	}
	if report.Verdict() != nil {
		return errFindings
	}
	return nil
}

// check refuses what package crowd would take for "not said".
func (c *crowdCommand) check() error {
	switch {
	case c.Shoppers < 1:
		return fmt.Errorf("--shoppers: must be at least 1, got %d", c.Shoppers)
	case c.Concurrency < 1:
		return fmt.Errorf("--concurrency: must be at least 1, got %d", c.Concurrency)
	case c.Patience <= 0:
		return fmt.Errorf("--patience: must be longer than 0, got %s", c.Patience)
	case c.CloseWithin <= 0:
		return fmt.Errorf("--close-within: must be longer than 0, got %s", c.CloseWithin)
	case c.UntilSold && c.Mix == "":
		return errors.New("--until-sold: needs a --mix in which somebody pays")
	case (c.LedgerURL == "") != (c.LedgerKeyFile == ""):
		return errors.New("--ledger-url: goes together with --ledger-key-file")
	case c.Spread < 0:
		return fmt.Errorf("--spread: must not be negative, got %s", c.Spread)
	default:
		return nil
	}
}

func (c *crowdCommand) plan(config app.Config, console console) (crowd.Config, error) {
	key, err := operatorKey(config)
	if err != nil {
		return crowd.Config{}, err
	}
	plan := crowd.Config{
		BaseURLs: c.URL, AdminURL: c.AdminURL, OperatorKey: key, Sale: c.Sale, Item: c.Item,
		Shoppers: c.Shoppers, Concurrency: c.Concurrency, Register: c.Register, Seed: c.Seed, Spread: c.Spread, Patience: c.Patience,
		Out: console.out, Quiet: c.Quiet, Amount: seckill.Amount,
	}
	if err := c.planMix(&plan); err != nil {
		return crowd.Config{}, err
	}
	if len(plan.BaseURLs) == 0 {
		plan.BaseURLs = []string{config.URL()}
	}
	if plan.AdminURL == "" {
		plan.AdminURL = config.AdminURL()
	}
	if c.Register {
		return plan, nil
	}
	minter, err := app.NewMinter(config)
	if err != nil {
		return crowd.Config{}, fmt.Errorf("mint tokens (or use --register): %w", err)
	}
	plan.Mint = mint(minter)
	return plan, nil
}

// planMix says what comes after the click.
func (c *crowdCommand) planMix(plan *crowd.Config) (err error) {
	if plan.Mix, err = crowd.ParseMix(c.Mix); err != nil {
		return fmt.Errorf("--mix: %w", err)
	}
	plan.UntilSold, plan.CloseWithin, plan.LedgerURL = c.UntilSold, c.CloseWithin, c.LedgerURL
	if c.LedgerKeyFile == "" {
		return nil
	}
	key, err := os.ReadFile(c.LedgerKeyFile)
	if err != nil {
		return fmt.Errorf("--ledger-key-file: %w", err)
	}
	plan.LedgerKey = strings.TrimSpace(string(key))
	return nil
}

func mint(minter *identity.Tokens) func(string) (string, error) {
	return func(user string) (string, error) { return minter.Mint(seckill.UserID(user), crowdTokenTTL) }
}
