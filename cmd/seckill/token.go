package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/seckill-dev/seckill/internal/app"
	"github.com/seckill-dev/seckill/internal/identity"
	"github.com/seckill-dev/seckill/internal/seckill"
)

type tokenCommand struct {
	User  string        `default:"shopper" help:"The user id; with --count the prefix of the user ids."`
	Count int           `default:"1" help:"How many tokens, one a line."`
	TTL   time.Duration `default:"1h" help:"How long they are good for."`
	Out   string        `type:"path" placeholder:"FILE" help:"Write to a file (mode 0600) instead of the terminal."`
}

const (
	tokensMax    = 10_000_000
	tokensAccess = 0o600
)

// Run implements the command.
func (c *tokenCommand) Run(cli *commands, console console) error {
	if c.Count < 1 || c.Count > tokensMax {
		return fmt.Errorf("--count: is a number from 1 to %d, got %d", tokensMax, c.Count)
	}
	// The last user id is the longest: if it will do, all of them will, and no file is touched for nothing.
	if err := c.user(c.Count).Validate(); err != nil {
		return fmt.Errorf("--user: %w", err)
	}
	if c.TTL <= 0 || c.TTL > identity.TokenTTLMax {
		return fmt.Errorf("--ttl: is a time up to %s, got %s", identity.TokenTTLMax, c.TTL)
	}
	config, err := cli.load(map[string]any{})
	if err != nil {
		return err
	}
	minter, err := app.NewMinter(config)
	if err != nil {
		return err
	}
	if c.Out == "" {
		return c.write(minter, console.out)
	}
	return c.writeFile(minter)
}

// user is the nth user id, from 1.
func (c *tokenCommand) user(n int) seckill.UserID {
	if c.Count == 1 {
		return seckill.UserID(c.User)
	}
	return seckill.UserID(fmt.Sprintf("%s-%d", c.User, n))
}

// writeFile replaces the file. One that was there before loses its mode too: others may have been able to read it.
func (c *tokenCommand) writeFile(minter *identity.Tokens) (err error) {
	file, err := os.OpenFile(c.Out, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, tokensAccess)
	if err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if err := file.Chmod(tokensAccess); err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	return c.write(minter, file)
}

func (c *tokenCommand) write(minter *identity.Tokens, out io.Writer) error {
	buffered := bufio.NewWriter(out)
	for n := 1; n <= c.Count; n++ {
		token, err := minter.Mint(c.user(n), c.TTL)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintln(buffered, token); err != nil {
			return err
		}
	}
	return buffered.Flush()
}
