package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Name is what rows and URLs call this provider.
const Name = "sandbox"

// ProviderOptions say where a sandbox is.
type ProviderOptions struct {
	// URL is the server's, Key what it asks for, Secret what it signs notices with.
	URL    string
	Key    string
	Secret string
	// HTTP makes the calls; nil is a client with a timeout.
	HTTP *http.Client
}

// Provider is a sandbox as the shop uses it. The payment's id is the idempotency key and the reference, and every call goes
// by it: the session's name may never have reached us.
type Provider struct {
	options ProviderOptions
	client  *client
}

// errStrange says that whoever answers is not the sandbox, or has not understood.
var errStrange = errors.New("the answer is of something else")

var _ seckill.Provider = (*Provider)(nil)

// NewProvider checks the options and does no I/O.
func NewProvider(options ProviderOptions) (*Provider, error) {
	base, err := url.Parse(options.URL)
	if err != nil || (base.Scheme != "http" && base.Scheme != "https") || base.Host == "" {
		return nil, errors.New("the sandbox's URL must be http:// or https://")
	}
	if options.Key == "" || options.Secret == "" {
		return nil, errors.New("the sandbox needs a key and a secret")
	}
	return &Provider{options, newClient(base, options)}, nil
}

// Name implements seckill.Provider.
func (p *Provider) Name() string { return Name }

// Lives implements seckill.Provider.
func (p *Provider) Lives() time.Duration { return 0 }

// Open implements seckill.Provider.
func (p *Provider) Open(ctx context.Context, payment seckill.Payment, title string) (session, url string, err error) {
	id := payment.ID.String()
	asked := sessionRequest{
		Reference: id, AmountMinor: payment.AmountMinor, Currency: payment.Currency, Title: title, ExpiresAt: payment.ExpiresAt,
	}
	var answer sessionView
	if err := p.client.post(ctx, "/v1/sessions", id, asked, &answer); err != nil {
		return "", "", fmt.Errorf("open payment %s: %w", id, err)
	}
	switch {
	case answer.Reference != id || answer.ID == "" || !isWeb(answer.URL):
		return "", "", fmt.Errorf("open payment %s: %w", id, errStrange)
	case answer.State != StateOpen:
		return "", "", fmt.Errorf("open payment %s: %w: it is %s", id, seckill.ErrOver, answer.State)
	default:
		return answer.ID, answer.URL, nil
	}
}

// Close implements seckill.Provider.
func (p *Provider) Close(ctx context.Context, payment seckill.Payment) ([]seckill.Charge, error) {
	id := payment.ID.String()
	var answer sessionView
	if err := p.client.post(ctx, "/v1/references/"+id+"/expire", "", struct{}{}, &answer); err != nil {
		return nil, fmt.Errorf("close payment %s: %w", id, err)
	}
	// Money without a name would be recorded once for all of its kind, and no money at all closes the payment for good.
	isNameless := slices.ContainsFunc(answer.Charges, func(c chargeView) bool { return c.ID == "" || c.AmountMinor < 0 })
	isOver := answer.State == StatePaid || answer.State == StateClosed
	isEmpty := answer.State == StatePaid && len(answer.Charges) == 0
	if answer.Reference != id || !isOver || isNameless || isEmpty {
		return nil, fmt.Errorf("close payment %s: %w", id, errStrange)
	}
	var charges []seckill.Charge
	for _, c := range answer.Charges {
		charges = append(charges, seckill.Charge{
			Provider: Name, Txn: c.ID, Payment: payment.ID, Order: payment.Order, AmountMinor: c.AmountMinor, Currency: c.Currency,
		})
	}
	return charges, nil
}

// Refund implements seckill.Provider.
func (p *Provider) Refund(ctx context.Context, refund seckill.Refund) error {
	asked := refundRequest{Charge: refund.Txn, AmountMinor: refund.AmountMinor, Currency: refund.Currency}
	var answer refundView
	err := p.client.post(ctx, "/v1/refunds", refund.Txn, asked, &answer)
	var refused *refusal
	if errors.As(err, &refused) && refused.status == http.StatusConflict && refused.Code == codeRefunded {
		return nil // by hand
	}
	if err != nil {
		return fmt.Errorf("refund %s: %w", refund.Txn, err)
	}
	if answer.Charge != refund.Txn || answer.AmountMinor != refund.AmountMinor {
		return fmt.Errorf("refund %s: %w", refund.Txn, errStrange)
	}
	return nil
}

// Ledger reads what the sandbox has done behind entry `after`, at most limit entries.
func (p *Provider) Ledger(ctx context.Context, after int64, limit int) ([]Entry, error) {
	query := url.Values{"after": {strconv.FormatInt(after, 10)}, "limit": {strconv.Itoa(limit)}}
	entries, err := p.client.lines(ctx, "/v1/ledger?"+query.Encode())
	if err != nil {
		return nil, fmt.Errorf("read the sandbox's ledger: %w", err)
	}
	return entries, nil
}
