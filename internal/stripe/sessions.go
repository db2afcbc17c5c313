package stripe

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	sdk "github.com/stripe/stripe-go/v85"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	// lives is how long a payment stays open, outlives how much longer its session does: Stripe's 30 minutes, and what
	// clocks may differ. Together they are less than the day that Stripe allows.
	lives    = 23 * time.Hour
	outlives = 35 * time.Minute
	// listMax bounds how many sessions are looked through for one, pageMax how many Stripe gives at once.
	listMax = 10_000
	pageMax = 100
	// listMargin is what Stripe's clock and the database's may differ, soon how long after its payment was begun a session
	// is usually made.
	listMargin = 5 * time.Minute
	soon       = 20 * time.Second

	paymentKey = "seckill_payment"
	orderKey   = "seckill_order"
)

// Lives implements seckill.Provider.
func (p *Provider) Lives() time.Duration { return lives }

// Open implements seckill.Provider.
func (p *Provider) Open(ctx context.Context, payment seckill.Payment, title string) (id, url string, err error) {
	defer p.tame(&err)
	session, err := p.open(ctx, payment, title)
	if err != nil {
		return "", "", fmt.Errorf("open payment %s: %w", payment.ID, err)
	}
	return session.ID, session.URL, nil
}

func (p *Provider) open(ctx context.Context, payment seckill.Payment, title string) (*sdk.CheckoutSession, error) {
	asked, err := p.session(payment, title)
	if err != nil {
		return nil, err
	}
	// It depends on nothing but the payment: a repeated request must not differ.
	asked.ExpiresAt = sdk.Int64(payment.ExpiresAt.Add(outlives).Unix())
	session, err := p.make(ctx, payment, asked)
	switch {
	case errors.Is(err, errSpent):
		return nil, fmt.Errorf("%w: %w", seckill.ErrOver, err)
	case err != nil:
		return nil, err
	case session.Status == sdk.CheckoutSessionStatusExpired || session.Status == sdk.CheckoutSessionStatusComplete:
		return nil, fmt.Errorf("%w: session %s is %s", seckill.ErrOver, session.ID, session.Status)
	case !isWeb(session.URL):
		return nil, fmt.Errorf("session %q is %q and nobody can go there", session.ID, session.Status)
	default:
		return session, nil
	}
}

// session is what is asked for.
func (p *Provider) session(payment seckill.Payment, title string) (*sdk.CheckoutSessionCreateParams, error) {
	amount, err := theirs(payment.AmountMinor, payment.Currency)
	if err != nil {
		return nil, err
	}
	names := map[string]string{paymentKey: payment.ID.String(), orderKey: payment.Order.String()}
	lead := func(url string) *string {
		return sdk.String(strings.ReplaceAll(url, "{order}", payment.Order.String()))
	}
	params := &sdk.CheckoutSessionCreateParams{
		Mode:               sdk.String(string(sdk.CheckoutSessionModePayment)),
		ClientReferenceID:  sdk.String(payment.ID.String()),
		Metadata:           names,
		PaymentMethodTypes: []*string{sdk.String("card")},
		AdaptivePricing:    &sdk.CheckoutSessionCreateAdaptivePricingParams{Enabled: sdk.Bool(false)},
		PaymentIntentData:  &sdk.CheckoutSessionCreatePaymentIntentDataParams{Metadata: names},
		SuccessURL:         lead(p.options.SuccessURL),
		CancelURL:          lead(p.options.CancelURL),
		LineItems: []*sdk.CheckoutSessionCreateLineItemParams{{
			Quantity: sdk.Int64(1),
			PriceData: &sdk.CheckoutSessionCreateLineItemPriceDataParams{
				Currency:    sdk.String(strings.ToLower(payment.Currency)),
				UnitAmount:  sdk.Int64(amount),
				ProductData: &sdk.CheckoutSessionCreateLineItemPriceDataProductDataParams{Name: sdk.String(title)},
			},
		}},
	}
	params.SetIdempotencyKey(payment.ID.String())
	return params, nil
}

// errSpent says that a payment's key was used for a session that was not made, and can make none for a day.
var errSpent = errors.New("its key is taken and its session is not in the list")

// make makes the session, or finds the one that was made before: under another title, perhaps. Stripe saves what it
// answered first, failures too.
func (p *Provider) make(
	ctx context.Context, payment seckill.Payment, asked *sdk.CheckoutSessionCreateParams,
) (*sdk.CheckoutSession, error) {
	session, err := p.api.V1CheckoutSessions.Create(ctx, asked)
	switch {
	case isKeyTaken(err) || isSaved(err):
		session, err = p.find(ctx, payment)
	case err != nil:
		err = failure(err)
	}
	if err == nil && !isName(session.ID) {
		return nil, fmt.Errorf("its session has the name %q", session.ID)
	}
	return session, err
}

// nameMax is how long an id may be that is kept: the column of charges.
const nameMax = 190

// isName says that an id can be kept and shown. The library takes ids from an answer as they are, whatever bytes they have.
func isName(id string) bool {
	isOdd := func(r rune) bool { return r <= ' ' || r > '~' }
	return id != "" && len(id) <= nameMax && !strings.ContainsFunc(id, isOdd)
}

// find looks for a payment's session in the list of those that were made while it could be paid: first among those that
// were made when it was begun, since a crowd makes many.
func (p *Provider) find(ctx context.Context, payment seckill.Payment) (*sdk.CheckoutSession, error) {
	session, err := p.findBetween(ctx, payment, payment.CreatedAt.Add(-soon), payment.CreatedAt.Add(soon))
	if err != nil || session != nil {
		return session, err
	}
	session, err = p.findBetween(ctx, payment, payment.CreatedAt.Add(-listMargin), payment.ExpiresAt.Add(listMargin))
	if err == nil && session == nil {
		return nil, errSpent
	}
	return session, err
}

// findBetween returns nil when no session that was made then is the payment's.
func (p *Provider) findBetween(
	ctx context.Context, payment seckill.Payment, from, to time.Time,
) (*sdk.CheckoutSession, error) {
	params := &sdk.CheckoutSessionListParams{CreatedRange: &sdk.RangeQueryParams{
		GreaterThanOrEqual: from.Unix(), LesserThanOrEqual: to.Unix(),
	}}
	params.Limit = sdk.Int64(pageMax)
	looked := 0
	for session, err := range p.api.V1CheckoutSessions.List(ctx, params).All(ctx) {
		if err != nil {
			return nil, failure(err)
		}
		if session.ClientReferenceID == payment.ID.String() {
			return session, nil
		}
		if looked++; looked == listMax {
			return nil, fmt.Errorf("it is not among %d sessions", listMax)
		}
	}
	return nil, nil
}

// Close implements seckill.Provider.
func (p *Provider) Close(ctx context.Context, payment seckill.Payment) (charges []seckill.Charge, err error) {
	defer p.tame(&err)
	charges, err = p.close(ctx, payment)
	if err != nil {
		return nil, fmt.Errorf("close payment %s: %w", payment.ID, err)
	}
	return charges, nil
}

func (p *Provider) close(ctx context.Context, payment seckill.Payment) ([]seckill.Charge, error) {
	id := payment.Session
	if id == "" {
		made, err := p.makeToEnd(ctx, payment)
		if made == nil || err != nil {
			return nil, err
		}
		id = made.ID
	}
	session, err := p.api.V1CheckoutSessions.Expire(ctx, id, nil)
	if isRefused(err) { // it is over already
		session, err = p.look(ctx, id)
	}
	switch {
	case err != nil:
		return nil, failure(err)
	case session.ID != id:
		return nil, fmt.Errorf("asked for session %s, it answers of %q", id, session.ID)
	default:
		return p.takings(payment, session)
	}
}

// makeToEnd finds the session of a payment that we know none of, or makes one, so that nobody else does. Nil: there is
// none, and there will be none.
func (p *Provider) makeToEnd(ctx context.Context, payment seckill.Payment) (*sdk.CheckoutSession, error) {
	// Its end is left to Stripe, which would refuse one that is near. It is over in a moment.
	asked, err := p.session(payment, "Order "+payment.Order.String())
	if err != nil {
		return nil, nil //nolint:nilerr // nobody could ask for it
	}
	made, err := p.make(ctx, payment, asked)
	if errors.Is(err, errSpent) || errors.Is(err, seckill.ErrRefused) {
		return nil, nil
	}
	return made, err
}

func (p *Provider) look(ctx context.Context, id string) (*sdk.CheckoutSession, error) {
	params := &sdk.CheckoutSessionRetrieveParams{}
	params.AddExpand("payment_intent")
	return p.api.V1CheckoutSessions.Retrieve(ctx, id, params)
}

// takings are the charges of a session that is over.
func (p *Provider) takings(payment seckill.Payment, session *sdk.CheckoutSession) ([]seckill.Charge, error) {
	switch {
	case session.Status == sdk.CheckoutSessionStatusExpired:
		return nil, nil
	case session.Status != sdk.CheckoutSessionStatusComplete:
		return nil, fmt.Errorf("session %s is %s and cannot be ended", session.ID, session.Status)
	case session.PaymentStatus != sdk.CheckoutSessionPaymentStatusUnpaid:
		charge := chargeOf(session)
		if !isName(charge.Txn) {
			return nil, fmt.Errorf("session %s is paid and names no charge", session.ID)
		}
		charge.Payment, charge.Order = payment.ID, payment.Order
		return []seckill.Charge{charge}, nil
	case isUndecided(session.PaymentIntent):
		return nil, fmt.Errorf("session %s waits for the shopper's bank", session.ID)
	default:
		return nil, nil
	}
}

// isUndecided says that money may still arrive.
func isUndecided(intent *sdk.PaymentIntent) bool {
	return intent == nil || (intent.Status != sdk.PaymentIntentStatusCanceled && intent.Status != sdk.PaymentIntentStatusRequiresPaymentMethod)
}

// chargeOf is the money of a paid session. One that cost nothing has no payment intent: the session stands for it.
func chargeOf(session *sdk.CheckoutSession) seckill.Charge {
	currency := strings.ToUpper(string(session.Currency))
	charge := seckill.Charge{
		Provider: Name, Txn: session.ID, AmountMinor: ours(session.AmountTotal, currency), Currency: currency,
	}
	if session.PaymentIntent != nil {
		charge.Txn = session.PaymentIntent.ID
	}
	return charge
}
