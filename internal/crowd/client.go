package crowd

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/seckill-dev/seckill/api"
)

const (
	callTimeout = 15 * time.Second
	// auditTimeout is longer: an audit reads everything.
	auditTimeout = 5 * time.Minute
	bodyMax      = 16 << 20
	// retryAfterMax bounds how long anybody can ask us to wait.
	retryAfterMax = 24 * time.Hour
)

// Failures without an answer. After errUnsent nothing can have happened; after errLost anything.
var (
	errUnsent = errors.New("the server was not reached")
	errLost   = errors.New("the answer was lost")
)

// lane is what a request queues for. In one queue a crowd would pay behind thousands who only wait, and too late.
type lane int

const (
	buying  lane = iota
	waiting      // long polls: they cost the server nothing, so there may be waitsMax times as many
	paying       // whatever concerns an order
	lanes
)

const waitsMax = 8

// client sends requests, at most so many at once, over connections that all shoppers share.
type client struct {
	http  *http.Client
	doors *doors
	slots [lanes]chan struct{}
	tally *tally
	// reached says that anybody has answered at least once.
	reached atomic.Bool
}

func newClient(config Config, t *tally) *client {
	atOnce := [lanes]int{buying: config.Concurrency, waiting: waitsMax * config.Concurrency, paying: config.Concurrency}
	connections := atOnce[buying] + atOnce[waiting] + atOnce[paying]
	transport := &http.Transport{
		DialContext:         (&net.Dialer{Timeout: 2 * time.Second}).DialContext,
		MaxConnsPerHost:     connections,
		MaxIdleConns:        2 * connections,
		MaxIdleConnsPerHost: connections,
		IdleConnTimeout:     30 * time.Second,
		DisableCompression:  true,
	}
	c := &client{
		http:  &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		tally: t,
	}
	for lane, slots := range atOnce {
		c.slots[lane] = make(chan struct{}, slots)
	}
	c.doors = newDoors(config.BaseURLs, c.knock, t)
	return c
}

func (c *client) close() { c.http.CloseIdleConnections() }

// call is one request. url is a path of any shoppers' listener or a whole address.
type call struct {
	lane    lane
	method  string
	url     string
	token   string
	key     string
	body    any
	timeout time.Duration
	// outside says that it is somebody else's server, whose refusals are no problem documents.
	outside bool
}

// reply is one answer. problem is set from 400 on.
type reply struct {
	status     int
	body       []byte
	problem    api.Problem
	replayed   bool
	retryAfter time.Duration
}

// passing says that the same request may be answered otherwise in a moment. Servers that are not ours give no reason.
func (r reply) passing() bool {
	return (answer{kind: refused, reason: r.problem.Reason}).passing() ||
		r.problem.Reason == "" && r.status >= http.StatusInternalServerError
}

// into decodes a successful body.
func (r reply) into(value any) error {
	if err := json.Unmarshal(r.body, value); err != nil {
		return fmt.Errorf("%w: status %d with a body that is not in the contract: %w", errLost, r.status, err)
	}
	return nil
}

// do sends a request once. An error is errUnsent, errLost, or the end of ctx.
func (c *client) do(ctx context.Context, what call) (reply, error) {
	var through *door
	if what.url[0] == '/' {
		var err error
		if through, err = c.doors.open(ctx); err != nil {
			return reply{}, err
		}
		what.url = through.base + what.url
	}
	select {
	case c.slots[what.lane] <- struct{}{}:
		defer func() { <-c.slots[what.lane] }()
	case <-ctx.Done():
		return reply{}, context.Cause(ctx)
	}
	answer, err := c.send(ctx, what)
	if err == nil {
		return answer, nil
	}
	if ctx.Err() != nil {
		// Sent perhaps: who gives up does not know either.
		return reply{}, fmt.Errorf("%w: %w", errLost, context.Cause(ctx))
	}
	c.tally.lost.Add(1)
	if !isClosed(err) {
		return reply{}, fmt.Errorf("%w: %w", errLost, err)
	}
	if through != nil {
		through.outage.begin(ctx)
	}
	return reply{}, fmt.Errorf("%w: %w", errUnsent, err)
}

// isClosed says that nobody was there to hear the request.
func isClosed(err error) bool {
	var failure *net.OpError
	return errors.As(err, &failure) && failure.Op == "dial"
}

func (c *client) send(ctx context.Context, what call) (reply, error) {
	orElse(&what.timeout, callTimeout)
	ctx, cancel := context.WithTimeout(ctx, what.timeout)
	defer cancel()
	request, err := c.request(ctx, what)
	if err != nil {
		return reply{}, err
	}
	c.tally.requests.Add(1)
	response, err := c.http.Do(request)
	if err != nil {
		return reply{}, err
	}
	defer response.Body.Close()
	c.reached.Store(true)
	body, err := io.ReadAll(io.LimitReader(response.Body, bodyMax))
	if err != nil {
		return reply{}, err
	}
	return readReply(response, body, what.outside)
}

func (c *client) request(ctx context.Context, what call) (*http.Request, error) {
	var body io.Reader
	if what.body != nil {
		text, err := json.Marshal(what.body)
		if err != nil {
			return nil, fmt.Errorf("encode the request: %w", err)
		}
		body = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, what.method, what.url, body)
	if err != nil {
		return nil, err
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if what.token != "" {
		request.Header.Set("Authorization", "Bearer "+what.token)
	}
	if what.key != "" {
		request.Header.Set("Idempotency-Key", what.key)
	}
	return request, nil
}

func readReply(response *http.Response, body []byte, outside bool) (reply, error) {
	r := reply{status: response.StatusCode, body: body, replayed: response.Header.Get("Idempotent-Replayed") != ""}
	if seconds, err := strconv.ParseUint(response.Header.Get("Retry-After"), 10, 32); err == nil {
		r.retryAfter = min(time.Duration(seconds)*time.Second, retryAfterMax)
	}
	if r.status < http.StatusBadRequest || outside {
		return r, nil
	}
	if err := json.Unmarshal(body, &r.problem); err != nil || !r.problem.Reason.Valid() {
		return reply{}, fmt.Errorf("status %d without a reason", r.status)
	}
	return r, nil
}

// knock asks whether anybody is there; any answer will do.
func (c *client) knock(ctx context.Context, base string) bool {
	_, err := c.send(ctx, call{method: http.MethodGet, url: base + "/livez", timeout: time.Second})
	var failure *net.OpError
	return err == nil || !errors.As(err, &failure)
}
