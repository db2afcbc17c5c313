package main

import (
	"context"
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

type lettersReplayCommand struct{ letterArgument }

// Run implements the command.
func (c *lettersReplayCommand) Run(ctx context.Context, desk *desk) error {
	letter, err := desk.Replay(ctx, c.Letter)
	return desk.showDecision("replayed", letter, err)
}

type lettersDiscardCommand struct {
	letterArgument
	Reason string `required:"" placeholder:"TEXT" help:"Why, for the log."`
}

// Run implements the command.
func (c *lettersDiscardCommand) Run(ctx context.Context, desk *desk) error {
	letter, err := desk.Discard(ctx, c.Letter, api.DiscardLetter{Reason: c.Reason})
	return desk.showDecision("discarded", letter, err)
}

func (d *desk) showDecision(what string, letter api.DeadLetter, err error) error {
	if err != nil {
		return err
	}
	return d.show(letter, func(table *tabwriter.Writer) { _, _ = fmt.Fprintf(table, "%s: %s\n", letter.ID, what) })
}
