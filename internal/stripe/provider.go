package stripe

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	sdk "github.com/stripe/stripe-go/v85"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	// Name is what rows and URLs call this provider.
	Name = "stripe"
	// callTimeout bounds one call where the caller brings no client of its own.
	callTimeout = 10 * time.Second
	// idleMax is how many connections are kept for the next crowd.
	idleMax = 64
	// answerMax bounds one answer, in bytes. The longest is a list of a hundred refunds.
	answerMax = 1 << 20
)

// Options say which account is used.
type Options struct {
	// Key is the account's secret key, or better a restricted one that may write Checkout Sessions and refunds and read
	// payment intents. WebhookSecret is the endpoint's.
	Key           string
	WebhookSecret string
	// SuccessURL and CancelURL are where Stripe leads people afterwards; {order} in them is the order's id.
	SuccessURL string
	CancelURL  string
	// APIURL is another place than Stripe's, for tests; "" is Stripe.
	APIURL string
	// HTTP makes the calls; nil is a client with a timeout.
	HTTP *http.Client
}

// Provider is one account at Stripe.
type Provider struct {
	options Options
	api     *sdk.Client
}

var _ seckill.Provider = (*Provider)(nil)

// New checks the options and does no I/O.
func New(options Options) (*Provider, error) {
	if options.Key == "" || options.WebhookSecret == "" {
		return nil, errors.New("stripe needs a key and the secret of a webhook")
	}
	for name, text := range map[string]string{"success": options.SuccessURL, "cancel": options.CancelURL} {
		if !isWeb(text) {
			return nil, fmt.Errorf("stripe's %s URL must be http:// or https://", name)
		}
	}
	if options.APIURL != "" && !isWeb(options.APIURL) {
		return nil, errors.New("stripe's API URL must be http:// or https://")
	}
	return &Provider{options, sdk.NewClient(options.Key, sdk.WithBackends(sdk.NewBackendsWithConfig(options.backend())))}, nil
}

func isWeb(text string) bool {
	parsed, err := url.Parse(text)
	return err == nil && (parsed.Scheme == "http" || parsed.Scheme == "https") && parsed.Host != ""
}

// backend has the library neither log nor repeat anything: errors say what there is to say, and callers ask again.
func (o *Options) backend() *sdk.BackendConfig {
	config := &sdk.BackendConfig{
		EnableTelemetry: sdk.Bool(false), MaxNetworkRetries: sdk.Int64(0), HTTPClient: o.client(),
		LeveledLogger: &sdk.LeveledLogger{Level: sdk.LevelNull},
	}
	if o.APIURL != "" {
		config.URL = sdk.String(o.APIURL)
	}
	return config
}

func (o *Options) client() *http.Client {
	client := http.Client{
		Timeout: callTimeout,
		// The key is for one address.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: idleMax, IdleConnTimeout: time.Minute, ForceAttemptHTTP2: true,
		},
	}
	if o.HTTP != nil {
		client = *o.HTTP
	}
	if client.Transport == nil {
		client.Transport = http.DefaultTransport
	}
	client.Transport = bounded{client.Transport}
	return &client
}

// bounded cuts answers off that are longer than any of Stripe's: the library would read whatever comes.
type bounded struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (b bounded) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := b.next.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	response.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(response.Body, answerMax), response.Body}
	return response, nil
}

// Name implements seckill.Provider.
func (p *Provider) Name() string { return Name }
