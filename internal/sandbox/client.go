package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	// callTimeout bounds one call where the caller brings no client of its own.
	callTimeout = 5 * time.Second
	// idleMax is how many connections are kept for the next crowd.
	idleMax = 128
	// answerMax bounds an answer; the longest is a page of the ledger.
	answerMax = linesMax * lineMax
	// wordsMax bounds what is kept of whoever refuses.
	wordsMax = 500
)

// client calls the sandbox's API.
type client struct {
	base string
	key  string
	http *http.Client
}

func newClient(base *url.URL, options ProviderOptions) *client {
	c := &client{base: strings.TrimSuffix(base.String(), "/"), key: options.Key, http: options.HTTP}
	if c.http == nil {
		c.http = newHTTP(callTimeout)
	}
	return c
}

// newHTTP is a client that follows nobody anywhere: a key or a notice is for one address.
func newHTTP(timeout time.Duration) *http.Client {
	return &http.Client{
		Timeout: timeout,
		Transport: &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			MaxIdleConnsPerHost: idleMax,
			IdleConnTimeout:     time.Minute,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// post sends a body and decodes the answer.
func (c *client) post(ctx context.Context, path, key string, body, answer any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encode the request: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+path, bytes.NewReader(text))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", jsonType)
	if key != "" {
		request.Header.Set(keyHeader, key)
	}
	content, err := c.do(request)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(content, answer); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	return nil
}

// lines reads JSON lines.
func (c *client) lines(ctx context.Context, path string) ([]Entry, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+path, nil)
	if err != nil {
		return nil, err
	}
	content, err := c.do(request)
	if err != nil {
		return nil, err
	}
	var entries []Entry
	for lines := json.NewDecoder(bytes.NewReader(content)); lines.More(); {
		var entry Entry
		if err := lines.Decode(&entry); err != nil {
			return nil, fmt.Errorf("read the answer: %w", err)
		}
		entries = append(entries, entry)
	}
	return entries, nil
}

// do sends a request. Who was not reached, or says so, has done nothing.
func (c *client) do(request *http.Request) ([]byte, error) {
	request.Header.Set("Authorization", "Bearer "+c.key)
	response, err := c.http.Do(request)
	if err != nil {
		return nil, unavailable(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(io.LimitReader(response.Body, answerMax))
	if err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	if response.StatusCode < http.StatusMultipleChoices {
		return content, nil
	}
	refused := &refusal{}
	_ = json.Unmarshal(content, refused) // whatever answers in its place may not know our words
	refused.status = response.StatusCode
	refused.Code, refused.Message = clip(refused.Code), clip(refused.Message)
	if response.StatusCode >= http.StatusInternalServerError {
		return nil, fmt.Errorf("%w: %w", seckill.ErrUnavailable, refused)
	}
	return nil, refused
}

func clip(text string) string {
	if len(text) <= wordsMax {
		return text
	}
	return strings.ToValidUTF8(text[:wordsMax], "") + "…"
}

// unavailable marks a failure to connect: nobody has heard the request.
func unavailable(err error) error {
	var failure *net.OpError
	if errors.As(err, &failure) && failure.Op == "dial" {
		return fmt.Errorf("%w: %w", seckill.ErrUnavailable, err)
	}
	return err
}
