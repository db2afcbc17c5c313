package main

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"

	"github.com/seckill-dev/seckill/api"
	"github.com/seckill-dev/seckill/internal/adminclient"
)

type adminLettersCommand struct {
	List    lettersListCommand    `cmd:"" help:"List dead letters, oldest first."`
	Show    lettersShowCommand    `cmd:"" help:"Show one with its bytes."`
	Replay  lettersReplayCommand  `cmd:"" help:"Put one back into its queue."`
	Discard lettersDiscardCommand `cmd:"" help:"Drop one for good; the log keeps it."`
}

// letterArgument names one dead letter.
type letterArgument struct {
	Letter string `arg:"" placeholder:"LETTER" help:"The id of the dead letter."`
}

type lettersListCommand struct{ pageFlags }

// Run implements the command.
func (c *lettersListCommand) Run(ctx context.Context, desk *desk) error {
	letters, err := collect(c.pageFlags, func(page adminclient.Page) ([]api.DeadLetter, string, error) {
		list, err := desk.DeadLetters(ctx, page)
		return list.Data, list.Next, err
	})
	if err != nil {
		return err
	}
	return desk.show(letters, func(table *tabwriter.Writer) {
		if len(letters.Data) == 0 {
			_, _ = fmt.Fprintln(table, "there are no dead letters")
			return
		}
		printLetters(table, letters.Data...)
		more(table, letters.Next)
	})
}

func printLetters(table *tabwriter.Writer, letters ...api.DeadLetter) {
	row(table, "LETTER", "AT", "SHARD", "BYTES", "ITEM", "EPOCH", "RESERVATIONS", "CAUSE")
	for _, l := range letters {
		row(table, l.ID, moment(l.At), l.Shard, l.Size, l.ItemID, l.Epoch, l.Reservations, l.Cause)
	}
	_ = table.Flush()
}

type lettersShowCommand struct{ letterArgument }

// Run implements the command.
func (c *lettersShowCommand) Run(ctx context.Context, desk *desk) error {
	letter, err := desk.DeadLetter(ctx, c.Letter)
	if err != nil {
		return err
	}
	return desk.show(letter, func(table *tabwriter.Writer) {
		printLetters(table, letter)
		body := letter.Body
		if letter.BodyBase64 != "" {
			body = "base64: " + letter.BodyBase64
		}
		_, _ = fmt.Fprintln(table, body)
	})
}

// letterChoice says which dead letters are meant.
type letterChoice struct {
	Letter string `arg:"" optional:"" placeholder:"LETTER" help:"The id of one dead letter."`
	All    bool   `help:"Every dead letter that there is now, one after the other."`
}

var errNoLetter = errors.New("say which dead letters: one by its id, or --all")

func (c *letterChoice) check() error {
	if c.All == (c.Letter != "") {
		return errNoLetter
	}
	return nil
}

type lettersReplayCommand struct{ letterChoice }

// Run implements the command.
func (c *lettersReplayCommand) Run(ctx context.Context, desk *desk) error {
	if err := c.check(); err != nil {
		return err
	}
	if c.All {
		return desk.decideLetters(ctx, "replayed", desk.Replay)
	}
	letter, err := desk.Replay(ctx, c.Letter)
	return desk.showDecision("replayed", letter, err)
}

type lettersDiscardCommand struct {
	letterChoice
	Reason string `required:"" placeholder:"TEXT" help:"Why, for the log."`
}

// Run implements the command.
func (c *lettersDiscardCommand) Run(ctx context.Context, desk *desk) error {
	if err := c.check(); err != nil {
		return err
	}
	discard := func(ctx context.Context, letter string) (api.DeadLetter, error) {
		return desk.Discard(ctx, letter, api.DiscardLetter{Reason: c.Reason})
	}
	if c.All {
		return desk.decideLetters(ctx, "discarded", discard)
	}
	letter, err := discard(ctx, c.Letter)
	return desk.showDecision("discarded", letter, err)
}

// decideLetters decides about the letters that there are now: the log keeps each of them. What a replay makes of one is
// another letter, and not among them; what somebody else has decided about is left alone.
func (d *desk) decideLetters(
	ctx context.Context, what string, decide func(ctx context.Context, letter string) (api.DeadLetter, error),
) error {
	letters, err := d.allLetters(ctx)
	if err != nil {
		return err
	}
	decided := lettersDecided{}
	for _, letter := range letters {
		_, err := decide(ctx, letter.ID)
		var refused *adminclient.Refused
		switch {
		case err == nil:
			decided.Count++
		case errors.As(err, &refused) && !refused.Passing():
		default:
			return fmt.Errorf("after the first %d: %w", decided.Count, err)
		}
	}
	return d.show(decided, func(table *tabwriter.Writer) { _, _ = fmt.Fprintf(table, "%d %s\n", decided.Count, what) })
}

// lettersDecided is how many letters were decided about.
type lettersDecided struct {
	Count int `json:"count"`
}

func (d *desk) allLetters(ctx context.Context) ([]api.DeadLetter, error) {
	letters, err := collect(pageFlags{Limit: lettersPage, All: true}, func(page adminclient.Page) ([]api.DeadLetter, string, error) {
		list, err := d.DeadLetters(ctx, page)
		return list.Data, list.Next, err
	})
	return letters.Data, err
}

// lettersPage is how many letters are asked for at once.
const lettersPage = 100

func (d *desk) showDecision(what string, letter api.DeadLetter, err error) error {
	if err != nil {
		return err
	}
	return d.show(letter, func(table *tabwriter.Writer) { _, _ = fmt.Fprintf(table, "%s: %s\n", letter.ID, what) })
}
