package stripe

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	sdk "github.com/stripe/stripe-go/v85"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	signatureHeader = "Stripe-Signature"
	// tolerance is how far the time in a signature may be from when the notice came: who has seen a notice may not send it
	// again later.
	tolerance = 5 * time.Minute
	// noticeMax bounds a notice.
	noticeMax = 64 << 10
)

// Read implements seckill.Provider.
func (p *Provider) Read(n seckill.Notice) ([]seckill.Charge, error) {
	if len(n.Body) > noticeMax {
		return nil, fmt.Errorf("read a notice: %w: more than %d bytes", seckill.ErrUnreadable, noticeMax)
	}
	if err := p.verify(n); err != nil {
		return nil, fmt.Errorf("read a notice: %w: %w", seckill.ErrForged, err)
	}
	charges, err := p.charges(n)
	if err != nil {
		return nil, fmt.Errorf("read a notice: %w: %w", seckill.ErrUnreadable, err)
	}
	return charges, nil
}

// verify wants Stripe's signature of this body, made around the time when it came. The library compares with this machine's
// clock, and only into one direction.
func (p *Provider) verify(n seckill.Notice) error {
	header := n.Header(signatureHeader)
	if err := sdk.ValidatePayload(n.Body, header, p.options.WebhookSecret, sdk.WithIgnoreTolerance()); err != nil {
		return err
	}
	if age := n.At.Sub(signedAt(header)); age.Abs() > tolerance {
		return fmt.Errorf("it is %v old", age.Round(time.Second))
	}
	return nil
}

// signedAt is the time of a valid header: its last one, as the library has it.
func signedAt(header string) time.Time {
	var at time.Time
	for pair := range strings.SplitSeq(header, ",") {
		if stamp, isTime := strings.CutPrefix(pair, "t="); isTime {
			seconds, err := strconv.ParseInt(stamp, 10, 64)
			if err != nil {
				return time.Time{}
			}
			at = time.Unix(seconds, 0)
		}
	}
	return at
}

// charges are those that a verified event tells of.
func (p *Provider) charges(n seckill.Notice) ([]seckill.Charge, error) {
	// What is read here has been the same in every version of the API, so an endpoint may be of any.
	event, err := sdk.ConstructEvent(n.Body, n.Header(signatureHeader), p.options.WebhookSecret,
		sdk.WithIgnoreTolerance(), sdk.WithIgnoreAPIVersionMismatch())
	if err != nil {
		return nil, err
	}
	if event.Type != sdk.EventTypeCheckoutSessionCompleted && event.Type != sdk.EventTypeCheckoutSessionAsyncPaymentSucceeded {
		return nil, nil
	}
	if event.Data == nil {
		return nil, errors.New("the event has no data")
	}
	var session sdk.CheckoutSession
	if err := json.Unmarshal(event.Data.Raw, &session); err != nil {
		return nil, err
	}
	reference, isOurs := session.Metadata[paymentKey]
	if !isOurs || session.PaymentStatus == sdk.CheckoutSessionPaymentStatusUnpaid {
		return nil, nil
	}
	charge := chargeOf(&session)
	if charge.Payment, err = seckill.ParseID(reference); err != nil {
		return nil, fmt.Errorf("its payment: %w", err)
	}
	if !isName(charge.Txn) {
		return nil, errors.New("it names no charge")
	}
	return []seckill.Charge{charge}, nil
}
