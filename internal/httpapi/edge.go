package httpapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	// requestTimeout is the deadline of an ordinary request; operateTimeout that of an operator's, who may wait for every
	// item of a sale; auditTimeout that of an audit, which reads every row.
	requestTimeout = 5 * time.Second
	operateTimeout = 30 * time.Second
	auditTimeout   = 5 * time.Minute

	requestIDHeader = "X-Request-Id"
	requestIDMax    = 128
)

// handler answers one request, or returns why not. ctx carries the request's deadline.
type handler func(ctx context.Context, c *gin.Context) error

// edge is what both listeners share.
type edge struct {
	log      *slog.Logger
	clock    seckill.Clock
	random   func() float64
	measures *measures
	refusals *sampler
	// fixed are headers that every answer has; their values are shared and never written to.
	fixed map[string][]string
	// mediaTypes are header values as well, by themselves.
	mediaTypes map[string][]string
}

func newEdge(config *Config) *edge {
	return &edge{
		log: config.Log, clock: config.Clock, random: config.Random,
		measures: newMeasures(config.Registerer),
		refusals: newSampler(config.Clock),
		fixed: map[string][]string{
			"X-Content-Type-Options":  {"nosniff"},
			"Content-Security-Policy": {"default-src 'none'; frame-ancestors 'none'"},
			"Referrer-Policy":         {"no-referrer"},
			"Cache-Control":           {"no-store"},
		},
		mediaTypes: map[string][]string{jsonMediaType: {jsonMediaType}, problemMediaType: {problemMediaType}},
	}
}

// engine makes a bare gin engine: none of its middleware, no redirects, no proxy trusted unless named.
func (e *edge) engine(trustedProxies []string) (*gin.Engine, error) {
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.RedirectTrailingSlash = false
	engine.HandleMethodNotAllowed = true
	if err := engine.SetTrustedProxies(trustedProxies); err != nil {
		return nil, fmt.Errorf("trust proxies: %w", err)
	}
	engine.NoRoute(e.serve("none", requestTimeout, func(context.Context, *gin.Context) error {
		return seckill.Refuse(seckill.NotFound, "there is no such path")
	}))
	engine.NoMethod(e.serve("none", requestTimeout, func(_ context.Context, c *gin.Context) error {
		return wrongMethod(c.Request.Method)
	}))
	return engine, nil
}

func (e *edge) route(engine *gin.Engine, method, path string, within time.Duration, h handler) {
	engine.Handle(method, path, e.serve(path, within, h))
}

// serve wraps a handler into everything that every request gets.
func (e *edge) serve(route string, within time.Duration, h handler) gin.HandlerFunc {
	measured := e.measures.of(route)
	return func(c *gin.Context) {
		begun := e.clock.Now()
		header := c.Writer.Header()
		for name, values := range e.fixed {
			header[name] = values
		}
		header[requestIDHeader] = []string{e.requestIDFor(c.Request.Header[requestIDHeader])}
		ctx := newPatience(c.Request.Context(), within)
		defer ctx.end()
		if err := recovered(ctx, c, h); err != nil {
			e.refuse(ctx, c, route, err)
		}
		measured.served(c.Request.Method, c.Writer.Status(), e.clock.Now().Sub(begun))
	}
}

// panicked is a panic as an error. What it says is for the log.
type panicked struct {
	value any
	stack []byte
}

func newPanicked(value any) *panicked { return &panicked{value: value, stack: debug.Stack()} }

func (p *panicked) Error() string { return fmt.Sprintf("panic: %v", p.value) }

func recovered(ctx context.Context, c *gin.Context, h handler) (err error) {
	defer func() {
		value := recover()
		if value == nil {
			return
		}
		if abort, isError := value.(error); isError && errors.Is(abort, http.ErrAbortHandler) {
			panic(value) // net/http's own way to cut a connection
		}
		err = newPanicked(value)
	}()
	return h(ctx, c)
}

// requestIDFor keeps the id that a proxy gave the request, if it can be printed, or makes one.
func (e *edge) requestIDFor(given []string) string {
	if len(given) == 1 && given[0] != "" && len(given[0]) <= requestIDMax && visible(given[0]) {
		return given[0]
	}
	const digits, base = 13, 16
	var id [digits]byte
	for i, n := digits-1, uint64(e.random()*(1<<52)); i >= 0; i, n = i-1, n/base {
		id[i] = "0123456789abcdef"[n%base]
	}
	return string(id[:])
}

func requestID(c *gin.Context) string { return c.Writer.Header().Get(requestIDHeader) }

// reply answers with a wire struct.
func (e *edge) reply(c *gin.Context, status int, body any) error {
	e.write(c, status, jsonMediaType, appendJSON(nil, body))
	return nil
}

func (e *edge) write(c *gin.Context, status int, mediaType string, body []byte) {
	c.Writer.Header()["Content-Type"] = e.mediaTypes[mediaType]
	c.Writer.WriteHeader(status)
	if _, err := c.Writer.Write(body); err != nil {
		e.log.Debug("client left before the answer", "request_id", requestID(c), "error", err)
	}
}
