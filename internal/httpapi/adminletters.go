package httpapi

import (
	"context"
	"encoding/base64"
	"net/http"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"github.com/seckill-dev/seckill/api"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// listLetters shows dead letters, oldest first, without their bytes.
func (o *operators) listLetters(ctx context.Context, c *gin.Context, _ string) error {
	asked, err := queryOf(c)
	if err != nil {
		return err
	}
	page, err := asked.page()
	if err != nil {
		return err
	}
	found, err := o.operations.DeadLetters(ctx, page.after, page.limit)
	if err != nil {
		return err
	}
	list := api.DeadLetterList{Data: make([]api.DeadLetter, len(found.Letters))}
	for i, letter := range found.Letters {
		list.Data[i] = wireLetter(letter)
	}
	if found.Next > 0 {
		list.Next = cursorOf(found.Next)
	}
	return o.reply(c, http.StatusOK, list)
}

func (o *operators) getLetter(ctx context.Context, c *gin.Context, _ string) error {
	id, err := pathID(c, "letter_id")
	if err != nil {
		return err
	}
	letter, err := o.operations.DeadLetter(ctx, id)
	if err != nil {
		return err
	}
	return o.reply(c, http.StatusOK, wireWholeLetter(letter))
}

func (o *operators) replayLetter(ctx context.Context, c *gin.Context, actor string) error {
	id, err := pathID(c, "letter_id")
	if err != nil {
		return err
	}
	letter, err := o.operations.ReplayLetter(ctx, actor, id)
	return o.decided(ctx, c, actor, letter, err)
}

func (o *operators) discardLetter(ctx context.Context, c *gin.Context, actor string) error {
	id, err := pathID(c, "letter_id")
	if err != nil {
		return err
	}
	var body api.DiscardLetter
	if err := decode(c, bodyMax, &body); err != nil {
		return err
	}
	letter, err := o.operations.DiscardLetter(ctx, actor, id, body.Reason)
	return o.decided(ctx, c, actor, letter, err)
}

func (o *operators) decided(ctx context.Context, c *gin.Context, actor string, letter seckill.DeadLetter, err error) error {
	if err != nil {
		return err
	}
	if err := o.reply(c, http.StatusOK, wireWholeLetter(letter)); err != nil {
		return err
	}
	o.noteOperated(ctx, c, actor, c.FullPath())
	return nil
}

// wireLetter says what a letter is about, if it can be read.
func wireLetter(letter seckill.DeadLetter) api.DeadLetter {
	wire := api.DeadLetter{
		ID: letter.ID.String(), Shard: letter.Shard, Cause: letter.Cause, At: letter.At.UTC(), Size: len(letter.Body),
	}
	if message, err := seckill.DecodeMessage(letter.Body); err == nil {
		wire.BatchID, wire.ItemID, wire.Epoch = message.Batch.String(), message.Item.String(), message.Epoch
		wire.Reservations = len(message.Reservations)
	}
	return wire
}

func wireWholeLetter(letter seckill.DeadLetter) api.DeadLetter {
	wire := wireLetter(letter)
	if utf8.Valid(letter.Body) {
		wire.Body = string(letter.Body)
	} else {
		wire.BodyBase64 = base64.StdEncoding.EncodeToString(letter.Body)
	}
	return wire
}
