package httpapi_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/seckill-dev/seckill/api"
	"github.com/seckill-dev/seckill/internal/httpapi"
	"github.com/seckill-dev/seckill/internal/purchase"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// wantStatus is the contract's, once more and by hand: a change of problem.go must be meant.
func wantStatus() map[seckill.Reason]int {
	return map[seckill.Reason]int{
		seckill.NotFound: 404, seckill.Invalid: 400, seckill.Unauthenticated: 401, seckill.Forbidden: 403,
		seckill.NotStarted: 409, seckill.Ended: 409, seckill.Paused: 409, seckill.SoldOut: 409, seckill.LimitReached: 409,
		seckill.Conflict: 409, seckill.IdempotencyMismatch: 422, seckill.RateLimited: 429, seckill.Busy: 503, seckill.UnknownOutcome: 503,
	}
}

func TestReasons(t *testing.T) {
	t.Parallel()
	t.Run("are the same in the domain and in the contract", func(t *testing.T) {
		t.Parallel()
		document, err := openapi3.NewLoader().LoadFromData(api.Document())
		if err != nil {
			t.Fatal(err)
		}
		var listed, known []string
		for _, value := range document.Components.Schemas["Reason"].Value.Enum {
			listed = append(listed, fmt.Sprint(value))
		}
		for _, reason := range seckill.Reasons() {
			known = append(known, string(reason))
		}
		slices.Sort(listed)
		slices.Sort(known)
		if !slices.Equal(listed, known) {
			t.Errorf("the contract lists %v, the domain %v", listed, known)
		}
	})
	for _, reason := range seckill.Reasons() {
		t.Run("gives "+string(reason)+" its status, title and type", func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.purchases.refuse(seckill.Refuse(reason, "because"))
			problem := w.expectProblem(w.buy(`{"quantity":1}`), wantStatus()[reason], reason, "")
			if problem.Type != "urn:seckill:problem:"+string(reason) || problem.Title == "" || problem.Detail != "because" {
				t.Errorf("problem is %+v", problem)
			}
		})
	}
	t.Run("never shows a reason that is not in the list", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.purchases.refuse(seckill.Refuse(seckill.Duplicate, "secret"))
		problem := w.expectProblem(w.buy(`{"quantity":1}`), http.StatusServiceUnavailable, seckill.Busy, "")
		if strings.Contains(problem.Detail, "secret") {
			t.Errorf("problem is %+v", problem)
		}
	})
}

func TestProblemDetails(t *testing.T) {
	t.Parallel()
	t.Run("tells with sold_out what is left, 0 included", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.purchases.refuse(&seckill.Refusal{Reason: seckill.SoldOut})
		problem := w.expectProblem(w.buy(`{"quantity":1}`), http.StatusConflict, seckill.SoldOut, "")
		if problem.Available == nil || *problem.Available != 0 || problem.Detail == "" {
			t.Errorf("problem is %+v", problem)
		}
	})
	t.Run("tells with limit_reached what the caller holds", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.purchases.refuse(&seckill.Refusal{Reason: seckill.LimitReached, Detail: "too many", Held: []seckill.Reservation{queued()}})
		problem := w.expectProblem(w.buy(`{"quantity":2}`), http.StatusConflict, seckill.LimitReached, "")
		want := api.HeldReservation{ID: reservationID.String(), ItemID: itemID.String(), Quantity: 1, Links: api.Links{
			Self: reservationsURL + "/" + reservationID.String(), Order: "/v1/orders/" + reservationID.String(),
		}}
		if len(problem.Reservations) != 1 || problem.Reservations[0] != want {
			t.Errorf("problem is %+v", problem)
		}
	})
	t.Run("tells with unknown_outcome where to look", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.purchases.refuse(&seckill.Refusal{Reason: seckill.UnknownOutcome, Detail: "lost", Item: itemID, Reservation: reservationID})
		problem := w.expectProblem(w.buy(`{"quantity":1}`), http.StatusServiceUnavailable, seckill.UnknownOutcome, "")
		if problem.ReservationID != reservationID.String() || problem.Links.Self != reservationsURL+"/"+reservationID.String() {
			t.Errorf("problem is %+v", problem)
		}
	})
	t.Run("keeps what would break out of JSON or HTML inside", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		const nasty = "</script>\"\\\n\u2028&\x7f"
		w.purchases.refuse(&seckill.Refusal{Reason: seckill.Conflict, Detail: nasty, Field: nasty})
		if problem := w.expectProblem(w.buy(`{"quantity":1}`), http.StatusConflict, seckill.Conflict, nasty); problem.Detail != nasty {
			t.Errorf("problem is %+v", problem)
		}
	})
	t.Run("keeps a client's own words short", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		problem := read[api.Problem](t, w.buy(`{"`+strings.Repeat("ä", 1000)+`":1}`))
		if problem.Reason != api.ReasonInvalid || len(problem.Field) > 80 {
			t.Errorf("problem is %+v", problem)
		}
	})
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		refusal seckill.Refusal
		random  float64
		want    string
	}{
		"is a second when nobody knows better":         {seckill.Refusal{Reason: seckill.Busy}, 0, "1"},
		"is rounded up":                                {seckill.Refusal{Reason: seckill.Busy, RetryAfter: 1100 * time.Millisecond}, 0, "2"},
		"is spread for busy":                           {seckill.Refusal{Reason: seckill.Busy, RetryAfter: 10 * time.Second}, 0.5, "15"},
		"is spread for rate_limited":                   {seckill.Refusal{Reason: seckill.RateLimited, RetryAfter: 10 * time.Second}, 0.9, "19"},
		"is there for unknown_outcome":                 {seckill.Refusal{Reason: seckill.UnknownOutcome}, 0, "1"},
		"is exact for not_started: all want the start": {seckill.Refusal{Reason: seckill.NotStarted, RetryAfter: 10 * time.Second}, 0.9, "10"},
		"is absent where waiting does not help":        {seckill.Refusal{Reason: seckill.SoldOut}, 0.9, ""},
		"is at most an hour":                           {seckill.Refusal{Reason: seckill.NotStarted, RetryAfter: 48 * time.Hour}, 0, "3600"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(config *httpapi.Config) { config.Random = func() float64 { return c.random } })
			w.purchases.refuse(&c.refusal)
			response := w.buy(`{"quantity":1}`)
			problem := read[api.Problem](t, response)
			said := ""
			if problem.RetryAfter > 0 {
				said = fmt.Sprint(problem.RetryAfter)
			}
			if got := response.header.Get("Retry-After"); got != c.want || said != c.want {
				t.Errorf("header says %q, body %q, want %q", got, said, c.want)
			}
		})
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		err    error
		reason seckill.Reason
		status int
		fault  bool
	}{
		"a missing row reads not_found":         {fmt.Errorf("find: %w", seckill.ErrNotFound), seckill.NotFound, 404, false},
		"an unreachable store reads busy":       {fmt.Errorf("find: %w", seckill.ErrUnavailable), seckill.Busy, 503, false},
		"a passing failure reads busy":          {fmt.Errorf("find: %w", seckill.ErrTransient), seckill.Busy, 503, false},
		"a deadline reads busy":                 {fmt.Errorf("find: %w", context.DeadlineExceeded), seckill.Busy, 503, false},
		"an unexpected error reads busy":        {errors.New("secret: table orders_07"), seckill.Busy, 503, true},
		"a wrapped refusal reads as its reason": {fmt.Errorf("find: %w", seckill.Refuse(seckill.Forbidden, "locked")), seckill.Forbidden, 403, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.checkout.err = c.err
			problem := w.expectProblem(w.ask(call{path: "/v1/orders/1", header: asShopper()}), c.status, c.reason, "")
			if strings.Contains(problem.Detail, "secret") {
				t.Errorf("problem is %+v", problem)
			}
			if logged := len(w.records("request failed")) == 1; logged != c.fault {
				t.Errorf("logged as a fault: %t", logged)
			}
		})
	}
	t.Run("a panic reads busy, is logged with its stack, and the next request is served", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.purchases.status = func(context.Context, time.Duration) (seckill.Reservation, error) { panic("secret") }
		path := reservationsURL + "/1"
		problem := w.expectProblem(w.ask(call{path: path, header: asShopper()}), http.StatusServiceUnavailable, seckill.Busy, "")
		records := w.records("request failed")
		if strings.Contains(problem.Detail, "secret") || len(records) != 1 ||
			!strings.Contains(fmt.Sprint(records[0]["stack"]), "fakePurchases") || records[0]["request_id"] != problem.RequestID {
			t.Errorf("problem is %+v, records are %v", problem, records)
		}
		w.purchases.status = func(context.Context, time.Duration) (seckill.Reservation, error) { return queued(), nil }
		expectStatus(t, w.ask(call{path: path, header: asShopper()}), http.StatusOK)
	})
}

func TestRefusalSamples(t *testing.T) {
	t.Parallel()
	t.Run("logs a few refusals of a crowd and counts all", func(t *testing.T) {
		t.Parallel()
		clock := &movingClock{now: noon()}
		w := newWorld(t, func(config *httpapi.Config) { config.Clock = clock })
		w.purchases.refuse(&seckill.Refusal{Reason: seckill.SoldOut})
		for range 100 {
			w.buy(`{"quantity":1}`)
		}
		w.purchases.buy = func(context.Context, purchase.Request) (purchase.Receipt, error) {
			return purchase.Receipt{}, seckill.Refuse(seckill.Ended, "over")
		}
		w.buy(`{"quantity":1}`)
		clock.advance(time.Second)
		w.purchases.refuse(&seckill.Refusal{Reason: seckill.SoldOut})
		w.buy(`{"quantity":1}`)
		records := w.records("request refused")
		if len(records) != 4 || records[3]["skipped"] != 98.0 {
			t.Fatalf("%d records, the last is %v", len(records), records[len(records)-1])
		}
		if got := counted(t, w, "seckill_http_refusals_total", "reason", "sold_out"); got != 101 {
			t.Errorf("counted %v", got)
		}
	})
}
