package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/seckill-dev/seckill/internal/app"
	"github.com/seckill-dev/seckill/internal/seckill"
)

type tokenCommand struct {
	User  string        `default:"shopper" help:"The user id; with --count the prefix of the user ids."`
	Count int           `default:"1" help:"How many tokens, one a line."`
	TTL   time.Duration `default:"1h" help:"How long they are good for."`
	Out   string        `type:"path" placeholder:"FILE" help:"Write to a file (mode 0600) instead of the terminal."`
}

const tokensMax = 10_000_000

// Run implements the command.
func (c *tokenCommand) Run(cli *commands, console console) error {
	if c.Count < 1 || c.Count > tokensMax {
		return fmt.Errorf("--count: is a number from 1 to %d, got %d", tokensMax, c.Count)
	}
	config, err := cli.load(map[string]any{})
	if err != nil {
		return err
	}
	if c.Out == "" {
		return c.write(config, console.out)
	}
	file, err := os.OpenFile(c.Out, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	if err := c.write(config, file); err != nil {
		_ = file.Close()
		return err
	}
	return file.Close()
}

func (c *tokenCommand) write(config app.Config, out io.Writer) error {
	minter, err := app.NewMinter(config)
	if err != nil {
		return err
	}
	buffered := bufio.NewWriter(out)
	for i := range c.Count {
		user := seckill.UserID(c.User)
		if c.Count > 1 {
			user = seckill.UserID(fmt.Sprintf("%s-%d", c.User, i+1))
		}
		if err := user.Validate(); err != nil {
			return fmt.Errorf("--user: %w", err)
		}
		token, err := minter.Mint(user, c.TTL)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintln(buffered, token); err != nil {
			return err
		}
	}
	return buffered.Flush()
}
