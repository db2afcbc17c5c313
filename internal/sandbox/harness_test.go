package sandbox_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/seckill-dev/seckill/internal/handclock"
	"github.com/seckill-dev/seckill/internal/sandbox"
	"github.com/seckill-dev/seckill/internal/seckill"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	testKey    = "the key of the tests"
	testSecret = "the secret of the tests"
	patience   = 20 * time.Second
	pollEvery  = 2 * time.Millisecond
)

// shop is the other side: a webhook that keeps what it is told.
type shop struct {
	*httptest.Server
	clock *handclock.Clock

	mu      sync.Mutex
	notices []seckill.Notice
	status  int
	// busy and busiest count the requests that are under way; while held is open none is answered.
	busy, busiest int
	held          chan struct{}
}

func openShop(t testing.TB, clock *handclock.Clock) *shop {
	t.Helper()
	s := &shop{clock: clock, status: http.StatusNoContent}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	s.busy++
	s.busiest = max(s.busiest, s.busy)
	s.notices = append(s.notices, seckill.Notice{Header: r.Header.Get, Body: body, At: s.clock.Now()})
	held := s.held
	s.mu.Unlock()
	if held != nil {
		<-held
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy--
	w.Header().Set("Location", s.URL+"/elsewhere")
	w.WriteHeader(s.status)
}

// answers sets what it answers from now on.
func (s *shop) answers(status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status = status
}

// hold answers no notice until letGo, or until the test ends: a server that waits for an answer does not.
func (s *shop) hold(t *testing.T) {
	t.Helper()
	t.Cleanup(s.letGo)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held = make(chan struct{})
}

func (s *shop) letGo() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held != nil {
		close(s.held)
		s.held = nil
	}
}

// told are the notices so far.
func (s *shop) told() []seckill.Notice {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]seckill.Notice(nil), s.notices...)
}

// toldOf are those with a text in them.
func (s *shop) toldOf(text string) (found []seckill.Notice) {
	for _, n := range s.told() {
		if bytes.Contains(n.Body, []byte(text)) {
			found = append(found, n)
		}
	}
	return found
}

// fixture is a sandbox with a shop, and a clock that the test moves.
type fixture struct {
	*sandbox.Provider
	clock   *handclock.Clock
	shop    *shop
	url     string
	options sandbox.ServerOptions
	end     func()
}

func open(t testing.TB) *fixture {
	t.Helper()
	return openWith(t, func(*sandbox.ServerOptions) {})
}

// openWith opens a sandbox whose options the test changes.
func openWith(t testing.TB, change func(*sandbox.ServerOptions)) *fixture {
	t.Helper()
	clock := handclock.New()
	shop := openShop(t, clock)
	options := sandbox.ServerOptions{
		Clock: clock, Log: slog.New(slog.DiscardHandler), Ledger: filepath.Join(t.TempDir(), "ledger.jsonl"),
		Key: testKey, Secret: testSecret, Webhook: shop.URL,
	}
	change(&options)
	return openFile(t, clock, shop, options)
}

func openFile(t testing.TB, clock *handclock.Clock, shop *shop, options sandbox.ServerOptions) *fixture {
	t.Helper()
	listening := httptest.NewUnstartedServer(nil)
	options.URL = "http://" + listening.Listener.Addr().String()
	server, err := sandbox.NewServer(options)
	if err != nil {
		t.Fatal(err)
	}
	listening.Config.Handler = server.Handler()
	listening.Start()
	calls := &http.Transport{}
	provider, err := sandbox.NewProvider(sandbox.ProviderOptions{
		URL: options.URL, Key: testKey, Secret: testSecret, HTTP: &http.Client{Transport: calls, Timeout: patience},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- server.Run(ctx) }()
	end := sync.OnceFunc(func() {
		listening.Close()
		calls.CloseIdleConnections()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(end)
	return &fixture{provider, clock, shop, options.URL, options, end}
}

// crash opens what a kill -9 would leave at this moment, and leaves the first sandbox to its fate.
func (f *fixture) crash(t testing.TB, torn string) *fixture {
	t.Helper()
	content, err := os.ReadFile(f.options.Ledger)
	if err != nil {
		t.Fatal(err)
	}
	f.end()
	options := f.options
	options.Ledger = filepath.Join(t.TempDir(), "ledger.jsonl")
	if err := os.WriteFile(options.Ledger, append(content, torn...), 0o600); err != nil {
		t.Fatal(err)
	}
	return openFile(t, f.clock, f.shop, options)
}

// payment opens one that ends in a quarter of an hour.
func (f *fixture) payment(t testing.TB, id seckill.ID) seckill.Payment {
	t.Helper()
	p := seckill.Payment{
		ID: id, Order: 1, Provider: sandbox.Name, AmountMinor: 1290, Currency: "EUR", ExpiresAt: f.clock.Now().Add(15 * time.Minute),
	}
	session, url, err := f.Open(t.Context(), p, "Enamel mug")
	if err != nil {
		t.Fatal(err)
	}
	p.Session, p.URL = session, url
	return p
}

// pay posts to a pay page as programs do.
func (f *fixture) pay(t testing.TB, session, body string) (status int, answer string) {
	t.Helper()
	return f.call(t, http.MethodPost, "/pay/"+session, body, "Content-Type", "application/json")
}

// call sends a request; header are names and values.
func (f *fixture) call(t testing.TB, method, path, body string, header ...string) (status int, answer string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, f.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	transport := &http.Transport{DisableKeepAlives: true}
	response, err := transport.RoundTrip(request) // follows nobody
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if place := response.Header.Get("Location"); place != "" {
		return response.StatusCode, place
	}
	return response.StatusCode, string(content)
}

// Statuses of payments.
const (
	http201 = http.StatusCreated
	http202 = http.StatusAccepted
	http409 = http.StatusConflict
)

// wantPay pays and wants a status.
func (f *fixture) wantPay(t testing.TB, want int, session, body string) {
	t.Helper()
	if status, answer := f.pay(t, session, body); status != want {
		t.Errorf("paying %s with %s answers %d, not %d: %s", session, body, status, want, answer)
	}
}

// close closes a payment.
func (f *fixture) close(t testing.TB, payment seckill.Payment) []seckill.Charge {
	t.Helper()
	charges, err := f.Close(t.Context(), payment)
	must(t, err)
	return charges
}

// must stops the test on an error.
func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// entries reads the whole ledger.
func (f *fixture) entries(t testing.TB) []sandbox.Entry {
	t.Helper()
	entries, err := f.Ledger(t.Context(), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

// count counts the entries of a kind.
func (f *fixture) count(t testing.TB, kind sandbox.Kind) (n int) {
	t.Helper()
	for _, e := range f.entries(t) {
		if e.Kind == kind {
			n++
		}
	}
	return n
}

// eventually polls until done says so.
func eventually(t testing.TB, what string, done func() bool) {
	t.Helper()
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	deadline := time.After(patience)
	for !done() {
		select {
		case <-poll.C:
		case <-deadline:
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}
