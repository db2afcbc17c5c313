package app_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/app"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// ear is a server of the shop that is told.
type ear struct {
	t      *testing.T
	server *httptest.Server

	mu sync.Mutex
	// refusals is how many requests are still answered with 503.
	refusals int
	heard    []heard
}

// heard is an event as it was told for the first time.
type heard struct {
	ID      seckill.ID        `json:"id"`
	Type    seckill.EventType `json:"type"`
	Subject seckill.ID        `json:"subject"`
	Version int64             `json:"version"`
	Data    map[string]any    `json:"data"`
}

// openEar makes a receiver, and has a shop tell it.
func (s *shop) openEar(refusals int) *ear {
	s.t.Helper()
	e := &ear{t: s.t, refusals: refusals}
	e.server = httptest.NewServer(e)
	s.t.Cleanup(e.server.Close)
	s.config.Events.Webhooks = []app.WebhookConfig{{Name: "shop", URL: e.server.URL, Secret: webhookSecret, AllowPrivate: true}}
	if s.config.Backend == app.BackendServices {
		s.config.Events.Exchange = s.config.RabbitMQ.Prefix + ".events"
	}
	return e
}

func (e *ear) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var event heard
	if err := json.Unmarshal(body, &event); err != nil || !e.verifies(r.Header, body) || r.Header.Get("webhook-id") != event.ID.String() {
		e.t.Errorf("heard %s with %v: %v", body, r.Header, err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.refusals > 0 {
		e.refusals--
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	if !slices.ContainsFunc(e.heard, func(h heard) bool { return h.ID == event.ID }) {
		e.heard = append(e.heard, event)
	}
}

func (*ear) verifies(header http.Header, body []byte) bool {
	key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(webhookSecret, "whsec_"))
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%s.%s", header.Get("webhook-id"), header.Get("webhook-timestamp"), body)
	return header.Get("webhook-signature") == "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// of are the events of one subject that were heard, in the order in which they were.
func (e *ear) of(subject seckill.ID) (types []seckill.EventType) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, h := range e.heard {
		if h.Subject == subject {
			types = append(types, h.Type)
		}
	}
	return types
}

// count is how many of a type were heard.
func (e *ear) count(kind seckill.EventType) (count int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, h := range e.heard {
		if h.Type == kind {
			count++
		}
	}
	return count
}

// inOrder wants each subject's versions to have been heard one after the other.
func (e *ear) inOrder() {
	e.t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	last := make(map[seckill.ID]int64)
	for _, h := range e.heard {
		if h.Version <= last[h.Subject] {
			e.t.Errorf("%s of %s: version %d after %d", h.Type, h.Subject, h.Version, last[h.Subject])
		}
		last[h.Subject] = h.Version
	}
}

// allTold waits until nobody is to be told of anything.
func (s *shop) allTold() {
	s.t.Helper()
	for _, endpoint := range s.system.Backend.Endpoints {
		s.toldTo(endpoint.Name())
	}
}

// toldTo waits until an endpoint was told of everything.
func (s *shop) toldTo(name string) {
	s.t.Helper()
	s.await("all is told to "+name, func() bool { return s.waitsFor(name) == 0 })
}

// waitsFor counts what an endpoint is still to be told of.
func (s *shop) waitsFor(name string) (sum int64) {
	s.t.Helper()
	for shard := range s.system.Backend.Shards.Count() {
		left, _, err := s.system.Backend.Events.Waiting(s.t.Context(), shard, name)
		if err != nil {
			s.t.Log(err)
			left = 1
		}
		sum += left
	}
	return sum
}

func TestEvents(t *testing.T) {
	t.Parallel()
	t.Run("tell the shop of sales, items and orders, signed and in order", tellsTheShop)
	t.Run("are told again when the shop did not take them, also after a restart", tellsAgain)
	t.Run("are told though others answer slowly, or send us to a private address, where nobody goes", tellsBesideOthers)
}

func tellsTheShop(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	e := s.openEar(0)
	s.start()
	sale := s.preload(40, 1, -time.Second, time.Hour)
	s.awaitLive()
	s.crowd(40, func(n int) {
		if _, err := s.insist(user(n), 1, key(n)); err != nil {
			t.Error(err)
		}
	})
	s.addsUp()
	s.turn(s.system.Operate.Pause, sale)
	s.turn(s.system.Operate.Resume, sale)
	s.turn(s.system.Operate.End, sale)
	want := []seckill.EventType{
		seckill.EventSaleScheduled, seckill.EventSaleStarted, seckill.EventSalePaused, seckill.EventSaleResumed, seckill.EventSaleEnded,
	}
	s.await("the shop has heard of the end", func() bool { return len(e.of(sale.ID)) == len(want) })
	s.await("the shop has heard of all orders", func() bool { return e.count(seckill.EventOrderCreated) == 40 })
	s.await("the shop has heard that it is sold out", func() bool { return len(e.of(s.item.ID)) > 0 })
	if got := e.of(sale.ID); !slices.Equal(got, want) {
		t.Errorf("heard %v", got)
	}
	if got := e.of(s.item.ID); !slices.Equal(got, []seckill.EventType{seckill.EventItemSoldOut}) {
		t.Errorf("heard %v", got)
	}
	e.hearsOfOrders(s)
	e.inOrder()
	s.allTold()
	s.wantTold(e)
}

// hearsOfOrders wants the shop to hear what becomes of orders: one is paid, one is cancelled.
func (e *ear) hearsOfOrders(s *shop) {
	e.t.Helper()
	ends := []seckill.EventType{seckill.EventOrderPaid, seckill.EventOrderCancelled}
	for id, told := range s.promises() {
		want := []seckill.EventType{seckill.EventOrderCreated}
		if got := e.of(id); !slices.Equal(got, want) {
			e.t.Errorf("heard %v of the order of %s", got, told.user)
		}
		if len(ends) == 0 {
			continue
		}
		s.end(id, told.user, ends[0])
		want = append(want, ends[0])
		ends = ends[1:]
		s.await("the shop has heard that the order has ended", func() bool { return slices.Equal(e.of(id), want) })
	}
}

// end pays or cancels an order.
func (s *shop) end(id seckill.ID, owner seckill.UserID, how seckill.EventType) {
	s.t.Helper()
	payments := s.system.Backend.Payments
	if how == seckill.EventOrderCancelled {
		if _, done, err := payments.Cancel(s.t.Context(), seckill.Cancellation{Order: id, User: owner, Cause: seckill.CauseUser}); err != nil || !done {
			s.t.Fatalf("cancelled: %t, %v", done, err)
		}
		return
	}
	payment, err := s.system.Backend.IDs.Next(owner.Bucket())
	if err == nil {
		_, _, _, err = payments.Begin(s.t.Context(), seckill.NewPayment{ID: payment, Order: id, User: owner, Provider: "test"})
	}
	if err == nil {
		_, _, err = payments.Record(s.t.Context(), seckill.Charge{
			Provider: "test", Txn: payment.String(), Payment: payment, Order: id, AmountMinor: 100, Currency: "EUR",
		})
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// wantTold holds what each endpoint is said to have been told against what one of them has heard.
func (s *shop) wantTold(e *ear) {
	s.t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	metrics := s.metrics()
	for _, endpoint := range s.system.Backend.Endpoints {
		series := fmt.Sprintf("\nseckill_events_total{endpoint=%q,outcome=%q} ", endpoint.Name(), "told")
		_, told, _ := strings.Cut(metrics, series)
		told, _, _ = strings.Cut(told, "\n")
		if n, err := strconv.Atoi(told); err != nil || n < len(e.heard) { // at least once
			s.t.Errorf("%s was told %q of %d events", endpoint.Name(), told, len(e.heard))
		}
	}
}

func (s *shop) metrics() string {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.system.AdminURL()+"/metrics", http.NoBody)
	if err != nil {
		s.t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(text)
}

func tellsAgain(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	e := s.openEar(3)
	s.start()
	s.preload(10, 1, -time.Second, time.Hour)
	s.awaitLive()
	s.crowd(10, func(n int) {
		if _, err := s.insist(user(n), 1, key(n)); err != nil {
			t.Error(err)
		}
	})
	s.await("the shop has refused some", func() bool {
		e.mu.Lock()
		defer e.mu.Unlock()
		return e.refusals == 0
	})
	s.addsUp()
	s.restart()
	s.await("the shop has heard of all orders", func() bool { return e.count(seckill.EventOrderCreated) == 10 })
	e.inOrder()
	s.allTold()
	s.addsUp()
}

// tellsBesideOthers has two more to be told: one that says nothing until the shop has heard of everything, and one that leads
// to a cellar.
func tellsBesideOthers(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	e := s.openEar(0)
	var visits atomic.Int64
	cellar := s.openDoor(func(http.ResponseWriter, *http.Request) { visits.Add(1) })
	slow := make(chan struct{})
	s.tells("slow", s.openDoor(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-slow:
		case <-r.Context().Done():
		}
	}), true)
	s.tells("astray", s.openDoor(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, cellar, http.StatusTemporaryRedirect)
	}), true)
	s.tells("cellar", cellar, false)
	s.start()
	s.preload(20, 1, -time.Second, time.Hour)
	s.awaitLive()
	s.crowd(20, func(n int) {
		if _, err := s.insist(user(n), 1, key(n)); err != nil {
			t.Error(err)
		}
	})
	s.await("the shop has heard of all orders", func() bool { return e.count(seckill.EventOrderCreated) == 20 })
	e.inOrder()
	close(slow)
	s.toldTo("shop")
	s.toldTo("slow")
	if visits.Load() > 0 {
		t.Errorf("somebody came to a private address %d times", visits.Load())
	}
	for _, name := range []string{"astray", "cellar"} {
		if s.waitsFor(name) == 0 {
			t.Errorf("%s was told", name)
		}
	}
	s.addsUp()
}

// openDoor makes a receiver, and returns where it is.
func (s *shop) openDoor(serve http.HandlerFunc) (url string) {
	s.t.Helper()
	server := httptest.NewServer(serve)
	s.t.Cleanup(server.Close)
	return server.URL
}

// tells has a shop tell a receiver.
func (s *shop) tells(name, url string, private bool) {
	s.config.Events.Webhooks = append(s.config.Events.Webhooks,
		app.WebhookConfig{Name: name, URL: url, Secret: webhookSecret, AllowPrivate: private})
}
