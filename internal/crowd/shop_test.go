package crowd_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/api"
)

const (
	itemID = "11"
	saleID = "10"
)

// shop is a server that keeps its promises, unless a test spoils it.
type shop struct {
	mu       sync.Mutex
	units    int64
	left     int64
	limit    int64
	last     int
	requests int
	opens    time.Time
	state    api.SaleState
	keys     map[string]string // user and key -> reservation
	booked   map[string]*booked
	byUser   map[string][]string

	// drowsy is how many looks at the sale still take drowsyFor.
	drowsy int

	payWithin time.Duration
	payments  map[string]*booked
	ledger    []line

	// How the shop is spoiled. Each may be nil; they are called with mu held.
	before func(s *shop, user, key string, quantity int64) *api.Problem // answers a purchase instead of the shop
	after  func(s *shop, b *booked) *api.Problem                        // answers it after the reservation was made
	cut    func(s *shop) bool                                           // loses the answer to a purchase
	status func(s *shop, b *booked) api.ReservationStatus               // of a reservation that is looked up
	orders func(s *shop, user string, orders []api.Order) []api.Order   // of a user
	audit  api.AuditReport
	till   tillFaults
}

const drowsyFor = 100 * time.Millisecond

// booked is a reservation; it is an order at once.
type booked struct {
	id, user string
	quantity int64
	status   api.OrderStatus
	payBy    time.Time
}

func newShop(units int64) *shop {
	return &shop{
		units: units, left: units, limit: 2, last: 1000, state: api.SaleStateLive, opens: time.Now().Add(-time.Minute),
		keys: make(map[string]string), booked: make(map[string]*booked), byUser: make(map[string][]string),
		payWithin: time.Hour, payments: make(map[string]*booked),
	}
}

// open serves the shop for one test.
func (s *shop) open(t *testing.T) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(s.handler())
	t.Cleanup(server.Close)
	return server
}

func (s *shop) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { write(w, http.StatusOK, api.Health{Status: "ok"}) })
	mux.HandleFunc("GET /v1/sales", s.listSales)
	mux.HandleFunc("GET /v1/sales/{sale}", func(w http.ResponseWriter, _ *http.Request) { write(w, http.StatusOK, s.lookAtSale()) })
	mux.HandleFunc("GET /v1/items/{item}", func(w http.ResponseWriter, _ *http.Request) { write(w, http.StatusOK, s.sale().Items[0]) })
	mux.HandleFunc("POST /v1/items/{item}/reservations", s.reserve)
	mux.HandleFunc("GET /v1/items/{item}/reservations/{id}", s.look)
	mux.HandleFunc("GET /v1/orders", s.listOrders)
	s.handleMoney(mux)
	mux.HandleFunc("GET /admin/v1/sales/{sale}/stats", s.stats)
	mux.HandleFunc("GET /admin/v1/sales/{sale}/audit", s.audited)
	mux.HandleFunc("POST /v1/auth/register", func(w http.ResponseWriter, _ *http.Request) {
		write(w, http.StatusCreated, api.Account{ID: "1", Username: "x"})
	})
	mux.HandleFunc("POST /v1/auth/login", func(w http.ResponseWriter, r *http.Request) {
		var credentials api.Credentials
		_ = json.NewDecoder(r.Body).Decode(&credentials)
		write(w, http.StatusOK, api.Token{AccessToken: mint(credentials.Username), TokenType: "Bearer", ExpiresIn: 60})
	})
	return mux
}

func mint(user string) string { return "token-of-" + user }

func userOf(r *http.Request) string {
	return strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer token-of-")
}

func write(w http.ResponseWriter, status int, body any) {
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func refuse(w http.ResponseWriter, p *api.Problem) {
	if p.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(p.RetryAfter))
	}
	p.Status = http.StatusConflict
	if p.Reason == api.ReasonNotFound {
		p.Status = http.StatusNotFound
	}
	write(w, p.Status, p)
}

func (s *shop) sale() api.Sale {
	s.mu.Lock()
	defer s.mu.Unlock()
	return api.Sale{
		ID: saleID, Name: "drop", State: s.state, StartsAt: s.opens, EndsAt: s.opens.Add(time.Hour), ServerTime: time.Now(),
		Items: []api.Item{{
			ID: itemID, SaleID: saleID, Sku: "MUG", PriceMinor: 100, Currency: "EUR", LimitPerUser: s.limit, Available: new(max(0, s.left)),
		}},
	}
}

// lookAtSale is the sale, late and by a clock that is behind while the shop is drowsy.
func (s *shop) lookAtSale() api.Sale {
	sale := s.sale()
	s.mu.Lock()
	drowsy := s.drowsy > 0
	s.drowsy--
	s.mu.Unlock()
	if drowsy {
		<-time.After(drowsyFor)
		sale.ServerTime = sale.ServerTime.Add(-time.Minute)
	}
	return sale
}

func (s *shop) listSales(w http.ResponseWriter, r *http.Request) {
	sale, list := s.sale(), api.SaleList{Data: []api.Sale{}}
	if r.URL.Query().Get("state") == string(sale.State) {
		list.Data = append(list.Data, sale)
	}
	write(w, http.StatusOK, list)
}

func (s *shop) reserve(w http.ResponseWriter, r *http.Request) {
	var asked api.ReserveRequest
	_ = json.NewDecoder(r.Body).Decode(&asked)
	b, replayed, problem, cut := s.decide(userOf(r), r.Header.Get("Idempotency-Key"), asked.Quantity)
	switch {
	case cut:
		panic(http.ErrAbortHandler)
	case problem != nil:
		refuse(w, problem)
	default:
		if replayed {
			w.Header().Set("Idempotent-Replayed", "true")
		}
		write(w, http.StatusAccepted, api.Receipt{ID: b.id, ItemID: itemID, Quantity: b.quantity, Status: api.ReservationStatusQueued})
	}
}

func (s *shop) decide(user, key string, quantity int64) (b *booked, replayed bool, problem *api.Problem, cut bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests++
	if s.before != nil {
		if problem := s.before(s, user, key, quantity); problem != nil {
			return nil, false, problem, false
		}
	}
	if b, problem = s.known(user, key), nil; b == nil {
		b, problem = s.take(user, key, quantity)
	} else {
		replayed = true
	}
	if problem == nil && s.after != nil {
		problem = s.after(s, b)
	}
	return b, replayed, problem, s.cut != nil && s.cut(s)
}

func (s *shop) known(user, key string) *booked {
	if key == "" {
		return nil
	}
	return s.booked[s.keys[user+" "+key]]
}

func (s *shop) take(user, key string, quantity int64) (*booked, *api.Problem) {
	var held int64
	s.expire()
	for _, id := range s.byUser[user] {
		if b := s.booked[id]; b.status != api.OrderStatusCancelled {
			held += b.quantity
		}
	}
	if time.Now().Before(s.opens) {
		return nil, &api.Problem{Reason: api.ReasonNotStarted}
	}
	if held+quantity > s.limit {
		return nil, &api.Problem{Reason: api.ReasonLimitReached}
	}
	if s.left < quantity {
		left := s.left
		return nil, &api.Problem{Reason: api.ReasonSoldOut, Available: &left}
	}
	return s.book(user, key, quantity), nil
}

// book makes a reservation, whatever is left.
func (s *shop) book(user, key string, quantity int64) *booked {
	s.left -= quantity
	s.last++
	b := &booked{
		id: strconv.Itoa(s.last), user: user, quantity: quantity, status: api.OrderStatusUnpaid, payBy: time.Now().Add(s.payWithin),
	}
	s.booked[b.id] = b
	s.byUser[user] = append(s.byUser[user], b.id)
	if key != "" {
		s.keys[user+" "+key] = b.id
	}
	return b
}

func (s *shop) look(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.booked[r.PathValue("id")]
	if b == nil || b.user != userOf(r) {
		refuse(w, &api.Problem{Reason: api.ReasonNotFound})
		return
	}
	found := api.Reservation{ID: b.id, ItemID: itemID, Quantity: b.quantity, Status: api.ReservationStatusOrdered}
	if s.status != nil {
		if found.Status = s.status(s, b); found.Status == api.ReservationStatusRejected {
			found.Reason = api.ReasonLimitReached
		}
	}
	write(w, http.StatusOK, found)
}

func (s *shop) listOrders(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := api.OrderList{Data: []api.Order{}}
	for _, id := range s.byUser[userOf(r)] {
		list.Data = append(list.Data, s.order(s.booked[id]))
	}
	if s.orders != nil {
		list.Data = s.orders(s, userOf(r), list.Data)
	}
	write(w, http.StatusOK, list)
}

func orderOf(id string, quantity int64) api.Order {
	return api.Order{ID: id, ItemID: itemID, Quantity: quantity, AmountMinor: 100 * quantity, Currency: "EUR", Status: api.OrderStatusUnpaid}
}

func (s *shop) stats(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Header.Get("Authorization") != "Bearer operator-key" {
		refuse(w, &api.Problem{Reason: api.ReasonUnauthenticated})
		return
	}
	write(w, http.StatusOK, api.SaleStats{SaleID: saleID, Items: []api.ItemStats{{
		ItemID: itemID, Allotted: s.units, Lent: max(0, s.left), Claimed: s.units - max(0, s.left), Paid: s.paidUnits(),
	}}})
}

func (s *shop) audited(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	report := s.audit
	if report.Findings == nil {
		report = api.AuditReport{Ok: true, Checked: api.AuditChecked{Items: 1, Orders: int64(len(s.booked))}, Findings: []api.Finding{}}
	}
	write(w, http.StatusOK, report)
}

// problemIf answers a problem, or lets the shop answer.
func problemIf(now bool, problem api.Problem) *api.Problem {
	if now {
		return &problem
	}
	return nil
}

// everyNth is true for every n-th request.
func (s *shop) everyNth(n int) bool { return s.requests%n == 0 }

func (s *shop) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return fmt.Sprintf("%d of %d left, %d orders, %d purchases", s.left, s.units, len(s.booked), s.requests)
}
