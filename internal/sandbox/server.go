package sandbox

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// ServerOptions say how a sandbox is.
type ServerOptions struct {
	Clock seckill.Clock
	Log   *slog.Logger
	// URL is where people reach the server: what the addresses of pay pages begin with.
	URL string
	// Ledger is the file that keeps what happened; beside it a lock keeps a second server away.
	Ledger string
	// Key is what the API asks for, Secret what notices are signed with.
	Key    string
	Secret string
	// Webhook is told of charges; "" tells nobody. Webhooks are further addresses of the same shop, for when that one does
	// not answer.
	Webhook  string
	Webhooks []string
	// NoticeSpread has each notice wait up to so long, so that they come out of order; NoticeRepeats sends each so many
	// times more after it was confirmed.
	NoticeSpread  time.Duration
	NoticeRepeats int
}

// Server is a sandbox. Handler serves whether Run runs or not; without it nobody is told and no promise is kept.
type Server struct {
	options  ServerOptions
	book     *book
	outage   outage
	notices  *agenda[delivery]
	promises *agenda[Entry]
	http     *http.Client
	page     *template.Template
	// policy is what the page's browser may do.
	policy string
}

// repeatsMax bounds how often a notice is repeated.
const repeatsMax = 10

// NewServer opens the ledger, which no other server may have open, and makes the state anew from it.
func NewServer(options ServerOptions) (*Server, error) {
	options.URL = strings.TrimSuffix(options.URL, "/")
	if err := options.check(); err != nil {
		return nil, err
	}
	page, err := template.New("pay").Parse(pageSource)
	if err != nil {
		return nil, fmt.Errorf("parse the pay page: %w", err)
	}
	book, err := openBook(options.Ledger)
	if err != nil {
		return nil, err
	}
	s := &Server{
		options: options, book: book, notices: newAgenda[delivery](options.Clock), promises: newAgenda[Entry](options.Clock),
		http: newHTTP(noticeTimeout), page: page, policy: policyOf(pageSource),
	}
	promises, untold := book.owed()
	for _, promised := range promises {
		s.promises.add(promised.DueAt, promised)
	}
	for _, charged := range untold {
		s.tell(charged)
	}
	return s, nil
}

func (o *ServerOptions) check() error {
	switch {
	case !isWeb(o.URL):
		return errors.New("the sandbox's URL must be http:// or https://")
	case o.Webhook != "" && !isWeb(o.Webhook), slices.ContainsFunc(o.Webhooks, func(url string) bool { return !isWeb(url) }):
		return errors.New("the sandbox's webhook must be http:// or https://")
	case o.Key == "" || o.Secret == "":
		return errors.New("the sandbox needs a key and a secret")
	case o.NoticeRepeats < 0 || o.NoticeRepeats > repeatsMax:
		return fmt.Errorf("the sandbox repeats notices from 0 to %d times", repeatsMax)
	default:
		return nil
	}
}

func isWeb(text string) bool {
	parsed, err := url.Parse(text)
	return err == nil && (parsed.Scheme == "http" || parsed.Scheme == "https") && parsed.Host != ""
}

func (s *Server) now() time.Time { return s.options.Clock.Now().UTC() }

// Handler is the API and the pay pages.
func (s *Server) Handler() http.Handler {
	up := http.NewServeMux()
	up.Handle("POST /v1/sessions", s.withKey(s.openSession))
	up.Handle("GET /v1/sessions/{id}", s.withKey(s.showSession))
	up.Handle("POST /v1/sessions/{id}/expire", s.withKey(s.expireSession))
	up.Handle("POST /v1/references/{reference}/expire", s.withKey(s.expireReference))
	up.Handle("POST /v1/refunds", s.withKey(s.refund))
	up.Handle("GET /v1/ledger", s.withKey(s.showLedger))
	up.Handle("GET /pay/{id}", http.HandlerFunc(s.showPage))
	up.Handle("POST /pay/{id}", http.HandlerFunc(s.takePayment))
	always := http.NewServeMux()
	always.Handle("POST /v1/outage", s.withKey(s.beAway))
	always.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	always.Handle("/", s.whileUp(up))
	return always
}

// Run tells the webhook and keeps promises until ctx ends.
func (s *Server) Run(ctx context.Context) error {
	var working sync.WaitGroup
	working.Go(func() { s.deliver(ctx) })
	working.Go(func() { s.keepPromises(ctx) })
	working.Wait()
	s.http.CloseIdleConnections()
	return nil
}

// Close closes the ledger. Nothing may be served any more.
func (s *Server) Close() error { return s.book.close() }

// Bounds of one connection, and of the end of all of them.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 10 * time.Second
	writeTimeout      = 30 * time.Second
	idleTimeout       = 75 * time.Second
	headerBytesMax    = 16 << 10
	stopWithin        = 5 * time.Second
)

// Serve answers on a listener and runs, until ctx ends; then it closes both.
func (s *Server) Serve(ctx context.Context, listener net.Listener) (err error) {
	server := &http.Server{
		Handler: s.Handler(), ReadHeaderTimeout: readHeaderTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: headerBytesMax, ErrorLog: slog.NewLogLogger(s.options.Log.Handler(), slog.LevelWarn),
	}
	running := make(chan struct{})
	ctx, cancel := context.WithCancel(ctx)
	go func() { _ = s.Run(ctx); close(running) }()
	defer func() {
		cancel()
		<-running
		err = errors.Join(err, s.Close())
	}()
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		return fmt.Errorf("serve the sandbox: %w", err)
	case <-ctx.Done():
	}
	within, stop := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
	defer stop()
	if server.Shutdown(within) != nil {
		return server.Close() // whoever is cut off asks again
	}
	return nil
}
