package operate

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	// reasonMax bounds what an operator gives as a reason.
	reasonMax = 500
	// loggedBodyMax bounds the bytes of a discarded letter that the log keeps, so that they fit in whatever way they are
	// written.
	loggedBodyMax = 28_000
)

// LetterPage is one page of dead letters, oldest first.
type LetterPage struct {
	Letters []seckill.DeadLetter
	// Next is the After of the next page, 0 on the last one.
	Next seckill.ID
}

// DeadLetters lists what nobody could settle.
func (s *Service) DeadLetters(ctx context.Context, after seckill.ID, limit int) (LetterPage, error) {
	size := min(max(limit, 1), pageMax)
	letters, err := s.ports.Letters.List(ctx, after, size+1) // see cut
	if err != nil {
		return LetterPage{}, fmt.Errorf("list dead letters: %w", err)
	}
	page, next := cut(letters, size, func(letter seckill.DeadLetter) seckill.ID { return letter.ID })
	return LetterPage{Letters: page, Next: next}, nil
}

// DeadLetter reads one.
func (s *Service) DeadLetter(ctx context.Context, id seckill.ID) (seckill.DeadLetter, error) {
	letter, err := s.ports.Letters.Letter(ctx, id)
	if isNotFound(err) {
		return seckill.DeadLetter{}, seckill.Refuse(seckill.NotFound, fmt.Sprintf("there is no dead letter %s", id))
	}
	if err != nil {
		return seckill.DeadLetter{}, fmt.Errorf("read dead letter %s: %w", id, err)
	}
	return letter, nil
}

// ReplayLetter puts a dead letter back into its queue and returns it as it was. What cannot be settled this time either
// becomes another dead letter.
func (s *Service) ReplayLetter(ctx context.Context, actor string, id seckill.ID) (seckill.DeadLetter, error) {
	return s.decideLetter(ctx, deed{actor: actor, target: id, intent: actionReplay, done: actionReplayed}, map[string]any{},
		s.ports.Letters.Replay)
}

// DiscardLetter drops a dead letter for good and returns it as it was; the log keeps its bytes.
func (s *Service) DiscardLetter(ctx context.Context, actor string, id seckill.ID, reason string) (seckill.DeadLetter, error) {
	if err := validateText("reason", reason, reasonMax); err != nil {
		return seckill.DeadLetter{}, err
	}
	return s.decideLetter(ctx, deed{actor: actor, target: id, intent: actionDiscard, done: actionDiscarded},
		map[string]any{"reason": reason}, s.ports.Letters.Discard)
}

// decideLetter does what was decided about a letter. Of two operators one finds it.
func (s *Service) decideLetter(
	ctx context.Context, d deed, asked map[string]any, decide func(context.Context, seckill.ID) error,
) (seckill.DeadLetter, error) {
	letter, err := s.DeadLetter(ctx, d.target)
	if err != nil {
		return seckill.DeadLetter{}, err
	}
	d.before = encode(loggedLetter(letter))
	if err := s.intend(ctx, d, asked); err != nil {
		return seckill.DeadLetter{}, err
	}
	d.before = "" // once is enough for the bytes
	err = decide(ctx, d.target)
	if isNotFound(err) {
		err = seckill.Refuse(seckill.Conflict, fmt.Sprintf("somebody else has decided about dead letter %s at the same moment", d.target))
		s.refused(ctx, d, err)
		return seckill.DeadLetter{}, err
	}
	if err != nil {
		return seckill.DeadLetter{}, fmt.Errorf("%s %s: %w", d.intent, d.target, err)
	}
	s.done(ctx, d, asked)
	return letter, nil
}

// loggedLetter is a dead letter in the operators' log.
func loggedLetter(letter seckill.DeadLetter) map[string]any {
	body := letter.Body[:min(len(letter.Body), loggedBodyMax)]
	fields := map[string]any{
		"shard": letter.Shard, "cause": letter.Cause, "at": letter.At.UTC().Format(time.RFC3339Nano), "bytes": len(letter.Body),
	}
	if isPrintable(body) {
		fields["body"] = string(body)
	} else {
		fields["body_base64"] = base64.StdEncoding.EncodeToString(body)
	}
	return fields
}

// isPrintable says that a text costs at most two bytes for each of its own in JSON.
func isPrintable(text []byte) bool {
	return utf8.Valid(text) && !strings.ContainsFunc(string(text), unicode.IsControl)
}
