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
	// outlives is how much later than its order a session ends: Stripe's 30 minutes, and what clocks may differ.
	outlives = 35 * time.Minute
	// livesMax is a little less than the day that Stripe allows.
	livesMax = 24*time.Hour - 5*time.Minute
	// listMax bounds how many sessions are looked through for one, pageMax how many Stripe gives at once.
	listMax = 10_000
	pageMax = 100
	// listMargin is what Stripe's clock and the database's may differ.
	listMargin = 5 * time.Minute

	paymentKey = "seckill_payment"
	orderKey   = "seckill_order"
)

// Open implements seckill.Provider.
func (p *Provider) Open(ctx context.Context, payment seckill.Payment, title string) (id, url string, err error) {
	asked := p.session(payment, title)
	asked.ExpiresAt = sdk.Int64(expiry(payment).Unix())
	session, err := p.make(ctx, payment, asked)
	if err != nil {
		return "", "", fmt.Errorf("open payment %s: %w", payment.ID, err)
	}
	if session.URL == "" {
		return "", "", fmt.Errorf("open payment %s: its session is %s", payment.ID, session.Status)
	}
	return session.ID, session.URL, nil
}

// expiry depends on nothing but the payment: a repeated request must not differ.
func expiry(payment seckill.Payment) time.Time {
	end, longest := payment.ExpiresAt.Add(outlives), payment.CreatedAt.Add(livesMax)
	if end.After(longest) {
		return longest
	}
	return end
}

// session is what is asked for.
func (p *Provider) session(payment seckill.Payment, title string) *sdk.CheckoutSessionCreateParams {
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
				UnitAmount:  sdk.Int64(payment.AmountMinor),
				ProductData: &sdk.CheckoutSessionCreateLineItemPriceDataProductDataParams{Name: sdk.String(title)},
			},
		}},
	}
	params.SetIdempotencyKey(payment.ID.String())
	return params
}

// make makes the session, or finds the one that was made before: under another title, perhaps.
func (p *Provider) make(
	ctx context.Context, payment seckill.Payment, asked *sdk.CheckoutSessionCreateParams,
) (*sdk.CheckoutSession, error) {
	session, err := p.api.V1CheckoutSessions.Create(ctx, asked)
	if isKeyTaken(err) {
		return p.find(ctx, payment)
	}
	if err != nil {
		return nil, failure(err)
	}
	return session, nil
}

// find looks for a payment's session in the list of those that were made while it could be paid.
func (p *Provider) find(ctx context.Context, payment seckill.Payment) (*sdk.CheckoutSession, error) {
	params := &sdk.CheckoutSessionListParams{CreatedRange: &sdk.RangeQueryParams{
		GreaterThanOrEqual: payment.CreatedAt.Add(-listMargin).Unix(), LesserThanOrEqual: payment.ExpiresAt.Add(listMargin).Unix(),
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
			break
		}
	}
	return nil, errors.New("its key is taken and its session is not in the list")
}

// Close implements seckill.Provider.
func (p *Provider) Close(ctx context.Context, payment seckill.Payment) ([]seckill.Charge, error) {
	charges, err := p.close(ctx, payment)
	if err != nil {
		return nil, fmt.Errorf("close payment %s: %w", payment.ID, err)
	}
	return charges, nil
}

func (p *Provider) close(ctx context.Context, payment seckill.Payment) ([]seckill.Charge, error) {
	id := payment.Session
	if id == "" {
		// Its end is left to Stripe, which would refuse one that is near. It is over in a moment.
		session, err := p.make(ctx, payment, p.session(payment, "Order "+payment.Order.String()))
		if err != nil {
			return nil, err
		}
		id = session.ID
	}
	session, err := p.api.V1CheckoutSessions.Expire(ctx, id, nil)
	if isRefused(err) { // it is over already
		session, err = p.look(ctx, id)
	}
	if err != nil {
		return nil, failure(err)
	}
	return p.takings(payment, session)
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
	charge := seckill.Charge{
		Provider: Name, Txn: session.ID, AmountMinor: session.AmountTotal, Currency: strings.ToUpper(string(session.Currency)),
	}
	if session.PaymentIntent != nil {
		charge.Txn = session.PaymentIntent.ID
	}
	return charge
}
