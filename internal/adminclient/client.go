// Package adminclient calls the operators' API of a running system, for the command line and whoever else operates by
// program. It knows the HTTP contract (package api) and nothing of the system behind it. It repeats nothing by itself:
// whether a call may be repeated is for the caller to know, and Passing says whether that can help.
package adminclient

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seckill-dev/seckill/api"
)

const (
	// callTimeout is longer than the system takes for an operator, auditTimeout than it takes for an audit.
	callTimeout  = 40 * time.Second
	auditTimeout = 6 * time.Minute
	// answerMax bounds an answer: a hundred sales of a hundred items are a few megabytes.
	answerMax = 64 << 20
)

// Client speaks to one system as one operator. Safe for concurrent use.
type Client struct {
	url  string
	key  string
	http *http.Client
}

// New returns a client of the operators' address. A nil client is http.DefaultClient. Redirects are not followed: whoever
// leads elsewhere would get the call, and perhaps the key, a second time, or answer a change as if it were a question.
func New(address, key string, client *http.Client) (*Client, error) {
	parsed, err := url.Parse(address)
	if err != nil || parsed.Host == "" || (parsed.Scheme != "http" && parsed.Scheme != "https") {
		return nil, fmt.Errorf("%q is not an address such as http://127.0.0.1:8081", address)
	}
	if client == nil {
		client = http.DefaultClient
	}
	direct := *client
	direct.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Client{url: strings.TrimSuffix(address, "/"), key: key, http: &direct}, nil
}

// Refused is a system's "no", in its own sentence.
type Refused struct {
	Status  int
	Problem api.Problem
}

// Error implements error.
func (r *Refused) Error() string {
	if r.Problem.Detail == "" {
		return fmt.Sprintf("the system answered %d %s", r.Status, http.StatusText(r.Status))
	}
	if r.Problem.Field != "" && saysOf(r.Problem.Detail) {
		return r.Problem.Field + " " + r.Problem.Detail
	}
	return r.Problem.Detail
}

// saysOf tells a sentence that leaves out what it is about, which is the field: "must not be 0".
func saysOf(detail string) bool {
	verb, _, _ := strings.Cut(detail, " ")
	return slices.Contains([]string{"must", "can", "cannot", "is", "says"}, verb)
}

// Passing says that the same call may be answered otherwise in a moment.
func (r *Refused) Passing() bool {
	return r.Status == http.StatusTooManyRequests || r.Status >= http.StatusInternalServerError
}

// Unanswered says that no answer came. Whether the call was taken is not known.
type Unanswered struct {
	URL string
	Err error
}

// Error implements error.
func (u *Unanswered) Error() string { return fmt.Sprintf("no answer from %s: %v", u.URL, u.Err) }

// Unwrap gives the cause.
func (u *Unanswered) Unwrap() error { return u.Err }

// Passing implements what Refused does.
func (u *Unanswered) Passing() bool { return true }

// call is one request.
type call struct {
	method, path string
	query        url.Values
	// version is sent as If-Match, 0 not at all.
	version int64
	body    any
	within  time.Duration
}

// do sends a call and decodes the answer, unless that is nil.
func (c *Client) do(ctx context.Context, call call, answer any) error {
	within := call.within
	if within == 0 {
		within = callTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	request, err := c.request(ctx, call)
	if err != nil {
		return err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return &Unanswered{URL: c.url, Err: withoutURL(err)}
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, answerMax))
	if err != nil {
		return &Unanswered{URL: c.url, Err: err}
	}
	if response.StatusCode >= http.StatusMultipleChoices {
		refused := &Refused{Status: response.StatusCode}
		_ = json.Unmarshal(body, &refused.Problem) // whoever answered, the status says enough
		return refused
	}
	if answer == nil {
		return nil
	}
	if err := json.Unmarshal(body, answer); err != nil {
		return fmt.Errorf("read the answer to %s %s: %w", call.method, call.path, err)
	}
	return nil
}

func (c *Client) request(ctx context.Context, call call) (*http.Request, error) {
	var body io.Reader = http.NoBody
	if call.body != nil {
		text, err := json.Marshal(call.body)
		if err != nil {
			return nil, fmt.Errorf("write the body of %s %s: %w", call.method, call.path, err)
		}
		body = bytes.NewReader(text)
	}
	address := c.url + call.path
	if len(call.query) > 0 {
		address += "?" + call.query.Encode()
	}
	request, err := http.NewRequestWithContext(ctx, call.method, address, body)
	if err != nil {
		return nil, fmt.Errorf("call %s: %w", call.path, err)
	}
	request.Header.Set("Authorization", "Bearer "+c.key)
	if call.body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if call.version != 0 {
		request.Header.Set("If-Match", strconv.Quote(strconv.FormatInt(call.version, 10)))
	}
	return request, nil
}

// withoutURL drops what net/http says around the cause: the method and the address are said already.
func withoutURL(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}

// get reads one thing.
func get[T any](ctx context.Context, c *Client, path string, query url.Values) (answer T, err error) {
	err = c.do(ctx, call{method: http.MethodGet, path: path, query: query}, &answer)
	return answer, err
}

// post asks for one thing to be done; version is what it must be at, 0 does not ask.
func post[T any](ctx context.Context, c *Client, path string, version int64, body any) (answer T, err error) {
	err = c.do(ctx, call{method: http.MethodPost, path: path, version: version, body: body}, &answer)
	return answer, err
}

// Page is which part of a list is asked for; zero fields are left to the system.
type Page struct {
	Cursor string
	Limit  int
}

func (p Page) query() url.Values {
	query := url.Values{}
	if p.Cursor != "" {
		query.Set("cursor", p.Cursor)
	}
	if p.Limit != 0 {
		query.Set("limit", strconv.Itoa(p.Limit))
	}
	return query
}
