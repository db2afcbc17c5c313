package app_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/api"
	"github.com/seckill-dev/seckill/internal/app"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// The failures of other flash-sale systems that a whole system is needed to show; the rest are tests of the parts, named
// "peers: …" as well.

func TestPeersFalseSoldOut(t *testing.T) {
	t.Parallel()
	t.Run("peers: an outage of redis is never reported as sold out", func(t *testing.T) {
		t.Parallel()
		s := openSale(t, 10, 1)
		s.emptyRedis()
		busy := 0
		for n := 0; ; n++ {
			_, err := s.buy(user(n), 1, "")
			if err == nil {
				break
			}
			wantReason(t, err, seckill.Busy, seckill.UnknownOutcome)
			busy++
		}
		if busy == 0 {
			t.Fatal("redis was emptied and nobody noticed")
		}
		s.addsUp()
	})
	t.Run("peers: the local flag falls when units come back", func(t *testing.T) {
		t.Parallel()
		poison := &poisoner{user: "eve"}
		s := openSale(t, 1, 1, func(b *app.Backend) { poison.Claims, b.Claims = b.Claims, poison })
		s.await("eve is promised the only unit", func() bool {
			_, err := s.system.Buying.Buy(t.Context(), purchaseOf(s, "eve", 1, "eve-buys-one"))
			return err == nil
		})
		s.await("bob gets the unit that eve could not have", func() bool {
			_, err := s.buy("bob", 1, "bob-buys-one")
			if err != nil {
				wantReason(t, err, seckill.SoldOut, seckill.Busy, seckill.UnknownOutcome)
			}
			return err == nil
		})
		s.addsUp()
		s.wantOrders(1)
	})
}

func TestPeersFullBuffer(t *testing.T) {
	t.Parallel()
	t.Run("peers: a full buffer says busy instead of dropping what was accepted", func(t *testing.T) {
		t.Parallel()
		s := openNarrow(t)
		var queued, busy atomic.Int64
		s.crowd(500, func(n int) {
			_, err := s.buy(user(n), 1, "")
			switch seckill.ReasonOf(err) {
			case "":
				queued.Add(1)
			case seckill.Busy:
				busy.Add(1)
			default:
				t.Error(err)
			}
		})
		if queued.Load() == 0 || busy.Load() == 0 {
			t.Fatalf("%d queued, %d busy", queued.Load(), busy.Load())
		}
		s.addsUp()
		s.wantOrders(queued.Load())
	})
}

// openNarrow is a sale whose api lets only four purchases wait.
func openNarrow(t *testing.T) *shop {
	t.Helper()
	s := newShop(t)
	s.config.Limits.Pending = 4
	s.start()
	s.preload(1000, 1, -time.Second, time.Hour)
	s.awaitLive()
	return s
}

// ask sends a request as a client would, again while the answer is busy: that says nothing has happened.
func (s *shop) ask(method, url, token, body string, header http.Header) (status int, problem api.Problem) {
	s.t.Helper()
	s.await("an answer that is not busy", func() bool {
		status, problem = s.askOnce(method, url, token, body, header)
		return problem.Reason != api.ReasonBusy
	})
	return status, problem
}

func (s *shop) askOnce(method, url, token, body string, header http.Header) (int, api.Problem) {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), method, url, bytes.NewReader([]byte(body)))
	if err != nil {
		s.t.Fatal(err)
	}
	for name, values := range header {
		request.Header[name] = values
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	var problem api.Problem
	if response.StatusCode >= http.StatusBadRequest {
		if err := json.NewDecoder(response.Body).Decode(&problem); err != nil {
			s.t.Fatalf("%s %s: %s without a problem document: %v", method, url, response.Status, err)
		}
	}
	return response.StatusCode, problem
}

// token is a shopper's.
func (s *shop) token(user seckill.UserID) string {
	s.t.Helper()
	token, err := s.system.Tokens.Mint(user, time.Hour)
	if err != nil {
		s.t.Fatal(err)
	}
	return token
}

func (s *shop) reservations() string {
	return fmt.Sprintf("%s/v1/items/%s/reservations", s.system.URL(), s.item.ID)
}

func TestPeersAnyoneIsAdmin(t *testing.T) {
	t.Parallel()
	t.Run("peers: a shopper operates nothing, and finds no operators' call on the shoppers' address", func(t *testing.T) {
		t.Parallel()
		s := openSale(t, 1, 1)
		token := s.token("eve")
		end := fmt.Sprintf("/admin/v1/sales/%s/end", s.item.Sale)
		if status, _ := s.ask(http.MethodPost, s.system.AdminURL()+end, token, "", nil); status != http.StatusUnauthorized {
			t.Errorf("a shopper's token on the operators' address: %d", status)
		}
		for _, path := range []string{end, "/admin/v1/sales", "/metrics"} {
			if status, _ := s.ask(http.MethodGet, s.system.URL()+path, token, "", nil); status != http.StatusNotFound {
				t.Errorf("%s on the shoppers' address: %d", path, status)
			}
		}
		if stock := s.stock(); stock.Final {
			t.Error("a shopper has ended the sale")
		}
	})
}

func TestPeersLimits(t *testing.T) {
	t.Parallel()
	t.Run("peers: no quantity gets around the limit, and a refused one takes nothing", func(t *testing.T) {
		t.Parallel()
		s := openSale(t, 10, 2)
		token := s.token("eve")
		for _, quantity := range []string{"0", "-1", "9223372036854775808", "1e3", "1.5", `"1"`, "null", "true", "[1]", "1001"} {
			status, problem := s.ask(http.MethodPost, s.reservations(), token, `{"quantity":`+quantity+`}`, nil)
			if status != http.StatusBadRequest || problem.Field != "quantity" {
				t.Errorf("quantity %s: %d %+v", quantity, status, problem)
			}
		}
		if status, problem := s.ask(http.MethodPost, s.reservations(), token, `{"quantity":3}`, nil); status != http.StatusConflict ||
			problem.Reason != api.ReasonLimitReached {
			t.Errorf("quantity 3: %d %+v", status, problem)
		}
		states, err := s.system.Backend.Lent.States(t.Context(), []seckill.ID{s.item.ID})
		if err != nil || states[0].Available != 10 || states[0].Sold != 0 {
			t.Fatalf("refused requests took units: %+v, %v", states, err)
		}
	})
	t.Run("bounds how often one shopper pays and cancels", limitsPayers)
	t.Run("peers: another X-Forwarded-For is not another shopper", func(t *testing.T) {
		t.Parallel()
		s := newShop(t)
		s.config.Limits.PerUserPerSecond, s.config.Limits.PerUserBurst = 1, 2
		s.start()
		s.preload(100, 50, -time.Second, time.Hour)
		token := s.token("eve")
		limited := 0
		for n := range 20 {
			from := http.Header{"X-Forwarded-For": {fmt.Sprintf("10.0.0.%d", n)}}
			if status, _ := s.ask(http.MethodPost, s.reservations(), token, `{"quantity":1}`, from); status == http.StatusTooManyRequests {
				limited++
			}
		}
		if limited < 10 {
			t.Fatalf("only %d of 20 requests at once were limited", limited)
		}
	})
}

func limitsPayers(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.config.Limits.PerUserPerSecond, s.config.Limits.PerUserBurst = 1, 2
	s.start()
	s.preload(1, 1, -time.Second, time.Hour)
	s.awaitLive()
	order := s.system.URL() + "/v1/orders/" + s.order("mallory", "mallory-buys-one").ID.String()
	token := s.token("mallory")
	for _, what := range []string{"/payments", "/cancel"} {
		s.await("too many at "+what, func() bool {
			status, problem := s.ask(http.MethodPost, order+what, token, "", nil)
			return status == http.StatusTooManyRequests && problem.Reason == api.ReasonRateLimited && problem.RetryAfter > 0
		})
	}
	s.addsUp()
}
