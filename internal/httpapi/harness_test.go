package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/seckill-dev/seckill/api"
	"github.com/seckill-dev/seckill/internal/contract/wire"
	"github.com/seckill-dev/seckill/internal/httpapi"
	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	saleID        = seckill.ID(7301444403200010)
	itemID        = seckill.ID(7301444403200011)
	reservationID = seckill.ID(7301444403200099)

	itemPath        = "/v1/items/7301444403200011"
	reservationsURL = itemPath + "/reservations"
	operatorKey     = "operator-key-0123456789"
)

// noon is when every test happens.
func noon() time.Time { return time.Date(2026, 3, 20, 12, 0, 0, 0, time.UTC) }

type stillClock struct{ now time.Time }

func (c stillClock) Now() time.Time                       { return c.now }
func (c stillClock) After(time.Duration) <-chan time.Time { return nil }

// world is an edge on top of fakes.
type world struct {
	t          *testing.T
	document   *wire.Document
	purchases  *fakePurchases
	checkout   *fakeCheckout
	accounts   *fakeAccounts
	operations *fakeOperations
	audit      *fakeAudit
	archive    *fakeArchive
	log        *syncBuffer
	registry   *prometheus.Registry
	config     httpapi.Config
	edge       *httpapi.API
}

// newWorld builds the edge; change may replace parts of its configuration first.
func newWorld(t *testing.T, change ...func(*httpapi.Config)) *world {
	t.Helper()
	document, err := contractDocument()
	if err != nil {
		t.Fatal(err)
	}
	w := &world{
		t: t, document: document, purchases: newFakePurchases(), checkout: &fakeCheckout{}, accounts: &fakeAccounts{},
		operations: &fakeOperations{}, audit: &fakeAudit{}, archive: &fakeArchive{}, log: &syncBuffer{}, registry: prometheus.NewRegistry(),
	}
	w.config = httpapi.Config{
		Tokens: fakeTokens{}, Accounts: w.accounts, Purchases: w.purchases, Archive: w.archive, Checkout: w.checkout,
		Shards: oneShard{}, Keys: fakeKeys{}, Operations: w.operations, Audit: w.audit,
		Clock: stillClock{noon()}, Log: slog.New(slog.NewJSONHandler(w.log, nil)), Registerer: w.registry, Gatherer: w.registry,
		Random: func() float64 { return 0.5 },
	}
	for _, apply := range change {
		apply(&w.config)
	}
	if w.edge, err = httpapi.New(w.config); err != nil {
		t.Fatal(err)
	}
	return w
}

// contractDocument is loaded once: it takes longer than most tests.
var contractDocument = sync.OnceValues(wire.Load)

// answer is a response that was read to its end.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func answerOf(t *testing.T, response *http.Response) answer {
	t.Helper()
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{status: response.StatusCode, header: response.Header, body: body}
}

// call is one request; zero fields are left out.
type call struct {
	method string
	path   string
	body   string
	header http.Header
}

func asShopper(header ...string) http.Header {
	return headers(append([]string{"Authorization", "Bearer ada"}, header...)...)
}

func asOperator() http.Header { return headers("Authorization", "Bearer "+operatorKey) }

func headers(pairs ...string) http.Header {
	header := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		header.Add(pairs[i], pairs[i+1])
	}
	return header
}

// ask sends a call to the listener that serves it and holds the answer against the contract.
func (w *world) ask(c call) answer {
	w.t.Helper()
	handler := w.edge.Shoppers()
	if strings.HasPrefix(c.path, "/admin/") || c.path == "/metrics" {
		handler = w.edge.Operators()
	}
	return w.askAt(handler, c)
}

func (w *world) askAt(handler http.Handler, c call) answer {
	w.t.Helper()
	request := c.request(w.t)
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, request)
	response := recorder.Result()
	w.document.Check(w.t, request, response)
	return answerOf(w.t, response)
}

// askElsewhere is ask for calls that the contract knows at the other listener only.
func (w *world) askElsewhere(handler http.Handler, c call) answer {
	w.t.Helper()
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, c.request(w.t))
	return answerOf(w.t, recorder.Result())
}

func (c call) request(t *testing.T) *http.Request {
	t.Helper()
	if c.method == "" {
		c.method = http.MethodGet
	}
	var body io.Reader = http.NoBody
	if c.body != "" {
		body = strings.NewReader(c.body)
	}
	request := httptest.NewRequestWithContext(t.Context(), c.method, c.path, body)
	for name, values := range c.header {
		request.Header[name] = values
	}
	if _, given := request.Header["Content-Type"]; c.body != "" && !given {
		request.Header.Set("Content-Type", "application/json")
	}
	return request
}

// buy posts a reservation body.
func (w *world) buy(body string, header ...string) answer {
	w.t.Helper()
	return w.ask(call{method: http.MethodPost, path: reservationsURL, body: body, header: asShopper(header...)})
}

// expectProblem reads a refusal and checks what every refusal must have.
func (w *world) expectProblem(response answer, status int, reason seckill.Reason, field string) api.Problem {
	w.t.Helper()
	problem := read[api.Problem](w.t, response)
	if response.status != status || problem.Status != status || problem.Reason != api.Reason(reason) || problem.Field != field {
		w.t.Errorf("answered %d %+v, want %d %s of field %q", response.status, problem, status, reason, field)
	}
	if got := response.header.Get("Content-Type"); got != "application/problem+json" {
		w.t.Errorf("content type is %q", got)
	}
	if problem.RequestID == "" || problem.RequestID != response.header.Get("X-Request-Id") {
		w.t.Errorf("request id is %q in the body and %q in the header", problem.RequestID, response.header.Get("X-Request-Id"))
	}
	return problem
}

func expectStatus(t *testing.T, response answer, want int) {
	t.Helper()
	if response.status != want {
		t.Fatalf("answered %d, want %d: %s", response.status, want, response.body)
	}
}

func read[T any](t *testing.T, response answer) T {
	t.Helper()
	var body T
	if err := json.Unmarshal(response.body, &body); err != nil {
		t.Fatal(err)
	}
	return body
}

// records are the log lines with that message.
func (w *world) records(message string) []map[string]any {
	w.t.Helper()
	var found []map[string]any
	for line := range bytes.Lines(w.log.bytes()) {
		var record map[string]any
		if err := json.Unmarshal(line, &record); err != nil {
			w.t.Fatal(err)
		}
		if record["msg"] == message {
			found = append(found, record)
		}
	}
	return found
}

// syncBuffer is a log that handlers may write to at once.
type syncBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *syncBuffer) bytes() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return bytes.Clone(b.buffer.Bytes())
}

type oneShard struct{}

func (oneShard) Count() int    { return 1 }
func (oneShard) Shard(int) int { return 0 }

// fakeTokens takes the token itself for the user.
type fakeTokens struct{}

func (fakeTokens) Verify(token string) (seckill.UserID, error) {
	if token == "bad" {
		return "", seckill.Refuse(seckill.Unauthenticated, "the token has expired")
	}
	return seckill.UserID(token), nil
}

type fakeKeys struct{}

func (fakeKeys) Actor(key string) (string, error) {
	if key != operatorKey {
		return "", seckill.Refuse(seckill.Unauthenticated, "this operator key is not known")
	}
	return "operator:ada", nil
}

type fakeArchive struct {
	sale seckill.Sale
	err  error
}

func (f *fakeArchive) Sale(_ context.Context, id seckill.ID) (seckill.Sale, error) {
	if f.err == nil && f.sale.ID != id {
		return seckill.Sale{}, seckill.ErrNotFound
	}
	return f.sale, f.err
}

func (f *fakeArchive) Item(_ context.Context, id seckill.ID) (seckill.Item, error) {
	for _, item := range f.sale.Items {
		if item.ID == id {
			return item, f.err
		}
	}
	if f.err != nil {
		return seckill.Item{}, f.err
	}
	return seckill.Item{}, seckill.ErrNotFound
}
