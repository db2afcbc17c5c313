package webhook

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	// tellTimeout bounds one request, from resolving the name to the last byte of the answer.
	tellTimeout = 10 * time.Second
	// answerMax is how much of an answer is read so that its connection can be used again; quoteMax how much is quoted.
	answerMax = 64 << 10
	quoteMax  = 100
	// errorMax bounds what is said of an answer that cannot be read.
	errorMax = 300
	// headersMax bounds an answer's headers.
	headersMax = 16 << 10
	// connectionsMax is what two keepers in one process have under way for a shard; who waits for a connection loses time.
	connectionsMax = 64
	idleTimeout    = 30 * time.Second
)

// Config is what a receiver is told with.
type Config struct {
	// Name is what its dispatches are kept under.
	Name string
	// URL is where it is: http:// or https://, without user and password.
	URL string
	// Secret signs, of the form that CheckSecret wants.
	Secret string
	// AllowPrivate lets the receiver be at a private address.
	AllowPrivate bool
	// Authorities are trusted instead of the machine's; nil: the machine's.
	Authorities *x509.CertPool
	Clock       seckill.Clock
}

// Endpoint is one receiver. Safe for concurrent use.
type Endpoint struct {
	name   string
	url    string
	signer signer
	clock  seckill.Clock
	client *http.Client
}

var _ seckill.Endpoint = (*Endpoint)(nil)

// New returns an endpoint; it connects to nothing. Its errors never quote the URL or the secret.
func New(config Config) (*Endpoint, error) {
	if err := CheckURL(config.URL); err != nil {
		return nil, err
	}
	signer, err := newSigner(config.Secret)
	if err != nil {
		return nil, err
	}
	return &Endpoint{
		name: config.Name, url: config.URL, signer: signer, clock: config.Clock,
		client: &http.Client{
			Transport: transport(config),
			// The answer to the first request counts.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// CheckURL says what is wrong with a receiver's URL.
func CheckURL(text string) error {
	parsed, err := url.Parse(text)
	switch {
	case err != nil || parsed.Hostname() == "" || parsed.Scheme != "https" && parsed.Scheme != "http":
		return errors.New("must be of the form https://host/path")
	case parsed.User != nil:
		return errors.New("must be without user and password; requests are known by their signature")
	case parsed.Fragment != "":
		return errors.New("must be without #")
	default:
		return nil
	}
}

func transport(config Config) *http.Transport {
	dialer := &net.Dialer{Timeout: tellTimeout}
	if !config.AllowPrivate {
		dialer.ControlContext = newWall().control
	}
	return &http.Transport{
		DialContext:            dialer.DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: config.Authorities},
		ForceAttemptHTTP2:      true,
		DisableCompression:     true,
		MaxConnsPerHost:        connectionsMax,
		MaxIdleConnsPerHost:    connectionsMax,
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: headersMax,
	}
}

// Name implements seckill.Endpoint.
func (e *Endpoint) Name() string { return e.name }

// Tell implements seckill.Endpoint.
func (e *Endpoint) Tell(ctx context.Context, event seckill.Event) error {
	ctx, cancel := context.WithTimeout(ctx, tellTimeout)
	defer cancel()
	request, err := e.request(ctx, event)
	if err != nil {
		return fmt.Errorf("tell %s: %w", e.name, err)
	}
	response, err := e.client.Do(request)
	if err != nil {
		return fmt.Errorf("tell %s: %w", e.name, withoutURL(err))
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(response.Body, answerMax)) // the status has said it all
	if err := verdict(response.StatusCode, body); err != nil {
		return fmt.Errorf("tell %s: %w", e.name, err)
	}
	return nil
}

func (e *Endpoint) request(ctx context.Context, event seckill.Event) (*http.Request, error) {
	body := event.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url, bytes.NewReader(body))
	if err != nil {
		return nil, withoutURL(err)
	}
	id, timestamp := event.ID.String(), strconv.FormatInt(e.clock.Now().Unix(), 10)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "seckill")
	request.Header.Set("Webhook-Id", id)
	request.Header.Set("Webhook-Timestamp", timestamp)
	request.Header.Set("Webhook-Signature", e.signer.sign(id, timestamp, body))
	return request, nil
}

// withoutURL takes the URL out of an error, which may hold what only the receiver should know, and what a receiver has made
// too long: a header of thousands of characters, say, that nobody can read.
func withoutURL(err error) error {
	var about *url.Error
	if errors.As(err, &about) {
		err = about.Err
	}
	if text := err.Error(); len(text) > errorMax {
		return errors.New(strings.ToValidUTF8(text[:errorMax], "") + "…")
	}
	return err
}

// verdict is what a status means.
func verdict(status int, body []byte) error {
	switch {
	case status >= http.StatusOK && status < http.StatusMultipleChoices:
		return nil
	case status == http.StatusGone:
		return fmt.Errorf("the receiver answers 410: %w", seckill.ErrUnwanted)
	case status >= http.StatusMultipleChoices && status < http.StatusBadRequest:
		return fmt.Errorf("the receiver answers %d, and redirects are not followed", status)
	case len(body) == 0:
		return fmt.Errorf("the receiver answers %d", status)
	default:
		return fmt.Errorf("the receiver answers %d: %q", status, body[:min(len(body), quoteMax)])
	}
}

// Close gives up the connections that are idle.
func (e *Endpoint) Close() error {
	e.client.CloseIdleConnections()
	return nil
}
