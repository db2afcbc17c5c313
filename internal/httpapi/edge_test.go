package httpapi_test

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/seckill-dev/seckill/api"
	"github.com/seckill-dev/seckill/internal/httpapi"
	"github.com/seckill-dev/seckill/internal/seckill"
)

type movingClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *movingClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *movingClock) After(time.Duration) <-chan time.Time { return nil }

func (c *movingClock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// counted sums the samples of a metric that have the label.
func counted(t *testing.T, w *world, metric, label, value string) float64 {
	t.Helper()
	families, err := w.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, family := range families {
		if family.GetName() != metric {
			continue
		}
		for _, sample := range family.GetMetric() {
			for _, pair := range sample.GetLabel() {
				if pair.GetName() == label && pair.GetValue() == value {
					sum += sample.GetCounter().GetValue() + float64(sample.GetHistogram().GetSampleCount())
				}
			}
		}
	}
	return sum
}

func TestEveryAnswer(t *testing.T) {
	t.Parallel()
	t.Run("has the security headers", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		for _, path := range []string{itemPath, "/nowhere", "/livez"} {
			header := w.ask(call{path: path}).header
			for name, want := range map[string]string{
				"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Referrer-Policy": "no-referrer",
				"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
			} {
				if got := header.Get(name); got != want {
					t.Errorf("%s: %s is %q", path, name, got)
				}
			}
		}
	})
}

func TestRequestID(t *testing.T) {
	t.Parallel()
	t.Run("repeats a request id that can be printed and replaces all others", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		if got := w.ask(call{path: itemPath, header: headers("X-Request-Id", "abc-1")}).header.Get("X-Request-Id"); got != "abc-1" {
			t.Errorf("id is %q", got)
		}
		for _, given := range [][]string{{""}, {"a b"}, {"a\nb"}, {"ä"}, {strings.Repeat("x", 129)}, {"a", "b"}, nil} {
			got := w.ask(call{path: itemPath, header: http.Header{"X-Request-Id": given}}).header["X-Request-Id"]
			if len(got) != 1 || len(got[0]) != 13 {
				t.Errorf("%q became %q", given, got)
			}
		}
	})
}

func TestUnknownPaths(t *testing.T) {
	t.Parallel()
	t.Run("is a problem for a path or a method that is not there", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		for _, path := range []string{"/", "/v1", "/v1/items/", itemPath + "/", "//v1/sales", "/v1/../admin/v1/sales", "/debug/pprof/"} {
			w.expectProblem(w.ask(call{path: path}), http.StatusNotFound, seckill.NotFound, "")
		}
		response := w.ask(call{method: http.MethodDelete, path: itemPath})
		w.expectProblem(response, http.StatusMethodNotAllowed, seckill.NotFound, "")
		if got := response.header.Get("Allow"); got != http.MethodGet {
			t.Errorf("Allow is %q", got)
		}
	})
}

func TestListeners(t *testing.T) {
	t.Parallel()
	operatorsOnly := []call{
		{path: "/metrics"},
		{path: "/admin/v1/sales"},
		{method: http.MethodPost, path: "/admin/v1/sales", body: "{}"},
		{path: "/admin/v1/sales/1"},
		{path: "/admin/v1/sales/1/stats"},
		{path: "/admin/v1/audit"},
		{method: http.MethodPost, path: "/admin/v1/sales/1/end"},
	}
	t.Run("peer failure: anyone is admin; shoppers find no operators' call, whatever key they hold", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		for _, c := range operatorsOnly {
			c.header = asOperator()
			response := w.askElsewhere(w.edge.Shoppers(), c)
			w.expectProblem(response, http.StatusNotFound, seckill.NotFound, "")
		}
	})
	t.Run("peer failure: anyone is admin; a shopper's token opens nothing to operate", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		for _, c := range operatorsOnly[1:] {
			for _, header := range []http.Header{nil, asShopper(), headers("Authorization", operatorKey), headers("Authorization", "Basic "+operatorKey)} {
				c.header = header
				response := w.ask(c)
				w.expectProblem(response, http.StatusUnauthorized, seckill.Unauthenticated, "")
				if response.header.Get("WWW-Authenticate") != "Bearer" {
					t.Errorf("challenge is %q", response.header.Get("WWW-Authenticate"))
				}
			}
		}
		if w.operations.asked != "" {
			t.Errorf("did %s", w.operations.asked)
		}
	})
	t.Run("operators find no shoppers' call", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		response := w.askElsewhere(w.edge.Operators(), call{path: "/v1/sales"})
		w.expectProblem(response, http.StatusNotFound, seckill.NotFound, "")
	})
}

// TestRoutes holds both routers against the contract: every call is at its listener, and at no other.
func TestRoutes(t *testing.T) {
	t.Parallel()
	document, err := openapi3.NewLoader().LoadFromData(api.Document())
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t)
	served := func(handler http.Handler, method, path string) bool {
		// Without credentials, body or such a thing: any answer but this one says that the call is there.
		response := w.askElsewhere(handler, call{method: method, path: regexp.MustCompile(`{\w+}`).ReplaceAllString(path, "x")})
		return response.status != http.StatusMethodNotAllowed && !strings.Contains(string(response.body), "there is no such path")
	}
	for path, item := range document.Paths.Map() {
		for method, operation := range item.Operations() {
			t.Run("serves "+method+" "+path+" where its tag says", func(t *testing.T) {
				t.Parallel()
				operators, everywhere := slices.Contains(operation.Tags, "operators"), slices.Contains(operation.Tags, "health")
				if got := served(w.edge.Shoppers(), method, path); got == operators {
					t.Errorf("shoppers are served: %t", got)
				}
				if got := served(w.edge.Operators(), method, path); got != (operators || everywhere) {
					t.Errorf("operators are served: %t", got)
				}
			})
		}
	}
}

func TestProbes(t *testing.T) {
	t.Parallel()
	t.Run("both have the probes, and only operators read why", func(t *testing.T) {
		t.Parallel()
		var why error
		w := newWorld(t, func(config *httpapi.Config) { config.Ready = func(context.Context) error { return why } })
		for _, handler := range []http.Handler{w.edge.Shoppers(), w.edge.Operators()} {
			expectStatus(t, w.askAt(handler, call{path: "/livez"}), http.StatusOK)
			expectStatus(t, w.askAt(handler, call{path: "/readyz"}), http.StatusOK)
		}
		why = errors.New("no heartbeat on shard 0 yet")
		public := w.expectProblem(w.askAt(w.edge.Shoppers(), call{path: "/readyz"}), http.StatusServiceUnavailable, seckill.Busy, "")
		internal := w.expectProblem(w.askAt(w.edge.Operators(), call{path: "/readyz"}), http.StatusServiceUnavailable, seckill.Busy, "")
		if strings.Contains(public.Detail, "shard") || internal.Detail != why.Error() {
			t.Errorf("details are %q and %q", public.Detail, internal.Detail)
		}
		expectStatus(t, w.askAt(w.edge.Shoppers(), call{path: "/livez"}), http.StatusOK)
	})
}

func TestAuthentication(t *testing.T) {
	t.Parallel()
	guarded := []call{
		{method: http.MethodPost, path: reservationsURL, body: `{"quantity":1}`},
		{path: reservationsURL},
		{path: reservationsURL + "/1"},
		{path: "/v1/orders"},
		{path: "/v1/orders/1"},
		{method: http.MethodPost, path: "/v1/orders/1/payments"},
		{method: http.MethodPost, path: "/v1/orders/1/cancel"},
	}
	for name, header := range map[string]http.Header{
		"no header": nil, "an empty header": headers("Authorization", ""), "no scheme": headers("Authorization", "ada"),
		"no token": headers("Authorization", "Bearer "), "another scheme": headers("Authorization", "Basic YTpi"),
		"a bad token": headers("Authorization", "Bearer bad"), "two headers": headers("Authorization", "Bearer ada", "Authorization", "Bearer bob"),
	} {
		t.Run("refuses "+name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			for _, c := range guarded {
				c.header = header
				w.expectProblem(w.ask(c), http.StatusUnauthorized, seckill.Unauthenticated, "")
			}
		})
	}
	t.Run("takes the scheme in any letters", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		expectStatus(t, w.ask(call{path: "/v1/orders", header: headers("Authorization", "bearer ada")}), http.StatusOK)
	})
	t.Run("leaves the catalog open to everyone", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		for _, path := range []string{"/v1/sales", "/v1/sales/" + saleID.String(), itemPath} {
			expectStatus(t, w.ask(call{path: path}), http.StatusOK)
		}
	})
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	t.Run("count by route and status and never by what a client chose", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.buy(`{"quantity":1}`)
		w.ask(call{path: "/secret-path"})
		w.ask(call{method: "SECRET", path: itemPath})
		w.ask(call{path: "/v1/orders/7301444403200099", header: asShopper()})
		text := w.ask(call{path: "/metrics"}).body
		for _, want := range []string{
			`seckill_http_requests_total{method="POST",route="/v1/items/:item_id/reservations",status="202"} 1`,
			`seckill_http_requests_total{method="GET",route="none",status="404"} 1`,
			`seckill_http_requests_total{method="other",route="none",status="405"} 1`,
			`seckill_http_request_seconds_count{method="POST",route="/v1/items/:item_id/reservations"} 1`,
			`seckill_http_refusals_total{reason="not_found"} 3`,
		} {
			if !strings.Contains(string(text), want) {
				t.Errorf("%s is missing", want)
			}
		}
		for _, never := range []string{"secret", "SECRET", "ada", "73014"} {
			if strings.Contains(string(text), never) {
				t.Errorf("%s is a label", never)
			}
		}
	})
	t.Run("count faults", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.checkout.err = errors.New("broken")
		w.ask(call{path: "/v1/orders", header: asShopper()})
		if got := counted(t, w, "seckill_http_faults_total", "route", "/v1/orders"); got != 1 {
			t.Errorf("counted %v", got)
		}
	})
}

func TestConfig(t *testing.T) {
	t.Parallel()
	t.Run("without built-in accounts register and log-in do not exist", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, func(config *httpapi.Config) { config.Accounts = nil })
		for _, path := range []string{"/v1/auth/register", "/v1/auth/login"} {
			response := w.ask(call{method: http.MethodPost, path: path, body: `{"username":"ada","password":"correct horse"}`})
			w.expectProblem(response, http.StatusNotFound, seckill.NotFound, "")
		}
	})
	t.Run("refuses a missing part and a proxy that is no network", func(t *testing.T) {
		t.Parallel()
		config := newWorld(t).config
		config.Checkout = nil
		if _, err := httpapi.New(config); err == nil {
			t.Error("a missing part was accepted")
		}
	})
	t.Run("peer failure: limiter bypass; X-Forwarded-For is believed from configured networks only", func(t *testing.T) {
		t.Parallel()
		for proxies, want := range map[string]string{"": "192.0.2.1", "192.0.2.0/24": "203.0.113.9", "10.0.0.0/8": "192.0.2.1"} {
			w := newWorld(t, func(config *httpapi.Config) {
				if proxies != "" {
					config.TrustedProxies = []string{proxies}
				}
			})
			w.ask(call{path: "/nowhere", header: headers("X-Forwarded-For", "203.0.113.9")})
			if got := w.records("request refused")[0]["client"]; got != want {
				t.Errorf("trusting %q the client is %v", proxies, got)
			}
		}
	})
}
