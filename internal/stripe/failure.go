package stripe

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"

	sdk "github.com/stripe/stripe-go/v85"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// failure says what went wrong, without what Stripe says about the key or the shopper. Who was not reached, or had no time
// for us, has done nothing; and whatever was done when Stripe failed, the same key finds it.
func failure(err error) error {
	var refused *sdk.Error
	var connecting *net.OpError
	switch {
	case errors.As(err, &refused):
		return refusal(refused)
	case errors.As(err, &connecting) && connecting.Op == "dial":
		return fmt.Errorf("%w: %w", seckill.ErrUnavailable, err)
	default:
		return err
	}
}

// tame makes an error of the library's panic over an answer such as a list with null in it, hides the key where an answer is
// quoted that has it, and then cuts what is long. Whatever answers in Stripe's place, it ends no process and puts no secret
// into a log, nor a page.
func (p *Provider) tame(err *error) {
	if value := recover(); value != nil {
		*err = fmt.Errorf("stripe's library cannot read the answer: %v", value)
	}
	if *err == nil {
		return
	}
	said := (*err).Error()
	if text := clip(strings.ReplaceAll(said, p.options.Key, "[key]")); text != said {
		*err = discreet{*err, text}
	}
}

// discreet is an error in other words.
type discreet struct {
	error

	text string
}

func (d discreet) Error() string { return d.text }
func (d discreet) Unwrap() error { return d.error }

// textMax bounds what is kept of an answer.
const textMax = 500

func clip(text string) string {
	if len(text) > textMax {
		text = strings.ToValidUTF8(text[:textMax], "") + "…"
	}
	return strings.ToValidUTF8(text, "?")
}

func refusal(refused *sdk.Error) error {
	text := refused.Msg
	if refused.HTTPStatusCode == http.StatusUnauthorized || refused.HTTPStatusCode == http.StatusForbidden {
		text = "the key is wrong or may not do this" // Stripe's words have parts of the key in them
	}
	err := fmt.Errorf("stripe answers %d %s %s to request %s: %s",
		refused.HTTPStatusCode, refused.Type, refused.Code, refused.RequestID, text)
	switch {
	case isPassing(refused.HTTPStatusCode):
		return fmt.Errorf("%w: %w", seckill.ErrUnavailable, err)
	case refused.HTTPStatusCode == http.StatusBadRequest && refused.Type == sdk.ErrorTypeInvalidRequest:
		return fmt.Errorf("%w: %w", seckill.ErrRefused, err)
	default:
		return err
	}
}

// isPassing says that asking again helps: too many have asked, the same is being asked at this moment, or Stripe has failed.
func isPassing(status int) bool {
	return status == http.StatusTooManyRequests || status == http.StatusConflict || status >= http.StatusInternalServerError
}

// isSaved says that this is not what Stripe answers now but what it did the first time, under the same key.
func isSaved(err error) bool {
	var refused *sdk.Error
	return errors.As(err, &refused) && refused.LastResponse != nil && refused.LastResponse.Header.Get("Idempotent-Replayed") == "true"
}

// isKeyTaken says that the idempotency key was used for a request that differs.
func isKeyTaken(err error) bool {
	var refused *sdk.Error
	return errors.As(err, &refused) && refused.Type == sdk.ErrorTypeIdempotency && refused.Code != sdk.ErrorCodeIdempotencyKeyInUse
}

// isRefused says that Stripe has understood the request and will not do it.
func isRefused(err error) bool {
	var refused *sdk.Error
	return errors.As(err, &refused) && refused.HTTPStatusCode == http.StatusBadRequest
}
