package httpapi_test

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/api"
	"github.com/seckill-dev/seckill/internal/purchase"
	"github.com/seckill-dev/seckill/internal/seckill"
)

func TestReserve(t *testing.T) {
	t.Parallel()
	t.Run("hands user, item, quantity and key to the use case and answers 202", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		response := w.buy(`{"quantity":2}`, "Idempotency-Key", "cart-42-x")
		expectStatus(t, response, http.StatusAccepted)
		want := purchase.Request{Item: itemID, User: "ada", Quantity: 2, Key: "cart-42-x"}
		if len(w.purchases.requests) != 1 || w.purchases.requests[0] != want {
			t.Errorf("asked for %+v", w.purchases.requests)
		}
		receipt := read[api.Receipt](t, response)
		if receipt.ID != reservationID.String() || receipt.Status != api.ReservationStatusQueued || receipt.Quantity != 2 {
			t.Errorf("receipt is %+v", receipt)
		}
		if receipt.Links.Self != reservationsURL+"/"+receipt.ID || receipt.Links.Order != "/v1/orders/"+receipt.ID {
			t.Errorf("links are %+v", receipt.Links)
		}
		if _, replayed := response.header["Idempotent-Replayed"]; replayed {
			t.Error("a first answer says that it is a replay")
		}
	})
}

func TestReserveBody(t *testing.T) {
	t.Parallel()
	t.Run("reads the body however it is laid out", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		for _, body := range []string{`{"quantity":1}`, `{"quantity": 1}`, " {\n\t\"quantity\" : 1 }\r\n", `{"quantity":1000}`, `{"\u0071uantity":1}`} {
			expectStatus(t, w.buy(body), http.StatusAccepted)
		}
		expectStatus(t, w.buy(`{"quantity":1}`, "Content-Type", "application/json; charset=UTF-8"), http.StatusAccepted)
	})
}

func TestReplay(t *testing.T) {
	t.Parallel()
	t.Run("says of a replay that it is one, and how it ended", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.purchases.buy = func(context.Context, purchase.Request) (purchase.Receipt, error) {
			r := queued()
			r.State, r.Reason = seckill.ReservationRejected, seckill.LimitReached
			return purchase.Receipt{Reservation: r, Replayed: true}, nil
		}
		response := w.buy(`{"quantity":1}`, "Idempotency-Key", "cart-42-x")
		receipt := read[api.Receipt](t, response)
		if response.status != http.StatusAccepted || response.header.Get("Idempotent-Replayed") != "true" ||
			receipt.Status != api.ReservationStatusRejected || receipt.Reason != api.ReasonLimitReached {
			t.Errorf("answered %d, %v, %+v", response.status, response.header, receipt)
		}
	})
	t.Run("writes one record per accepted purchase", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		response := w.buy(`{"quantity":1}`)
		records := w.records("reservation accepted")
		if len(records) != 1 || records[0]["reservation"] != reservationID.String() || records[0]["shard"] != 0.0 ||
			records[0]["request_id"] != response.header.Get("X-Request-Id") {
			t.Errorf("records are %v", records)
		}
	})
}

// badPurchase is a request that must be refused as invalid, by the field.
type badPurchase struct {
	body   string
	header []string
	path   string
	status int
	field  string
}

func badQuantities() map[string]badPurchase {
	return map[string]badPurchase{
		"quantity 0":            {body: `{"quantity":0}`, field: "quantity"},
		"quantity -1":           {body: `{"quantity":-1}`, field: "quantity"},
		"quantity -0":           {body: `{"quantity":-0}`, field: "quantity"},
		"quantity 1001":         {body: `{"quantity":1001}`, field: "quantity"},
		"quantity 2^63":         {body: `{"quantity":9223372036854775808}`, field: "quantity"},
		"quantity 2^63-1":       {body: `{"quantity":9223372036854775807}`, field: "quantity"},
		"quantity 2^64+1":       {body: `{"quantity":18446744073709551617}`, field: "quantity"},
		"quantity 1e3":          {body: `{"quantity":1e3}`, field: "quantity"},
		"quantity 1E0":          {body: `{"quantity":1E0}`, field: "quantity"},
		"quantity 1.5":          {body: `{"quantity":1.5}`, field: "quantity"},
		"quantity 1.0":          {body: `{"quantity":1.0}`, field: "quantity"},
		"quantity as a text":    {body: `{"quantity":"1e3"}`, field: "quantity"},
		"quantity true":         {body: `{"quantity":true}`, field: "quantity"},
		"quantity null":         {body: `{"quantity":null}`, field: "quantity"},
		"quantity in a list":    {body: `{"quantity":[1]}`, field: "quantity"},
		"quantity in an object": {body: `{"quantity":{"quantity":1}}`, field: "quantity"},
		"no quantity":           {body: `{}`, field: "quantity"},
		"quantity twice":        {body: `{"quantity":1,"quantity":2}`, field: "quantity"},
	}
}

func badBodies() map[string]badPurchase {
	return map[string]badPurchase{
		"an unknown field":              {body: `{"quantity":1,"user":"bob"}`, field: "user"},
		"a field in other letters":      {body: `{"Quantity":1}`, field: "Quantity"},
		"an empty field":                {body: `{"quantity":1,"":1}`, field: "body"},
		"null":                          {body: `null`, field: "body"},
		"a list":                        {body: `[{"quantity":1}]`, field: "body"},
		"a number":                      {body: `1`, field: "body"},
		"two documents":                 {body: `{"quantity":1}{"quantity":1}`, field: "body"},
		"something behind the document": {body: `{"quantity":1}x`, field: "body"},
		"a comma too many":              {body: `{"quantity":1,}`, field: "body"},
		"a leading zero":                {body: `{"quantity":01}`, field: "body"},
		"a plus sign":                   {body: `{"quantity":+1}`, field: "body"},
		"half a document":               {body: `{"quantity":`, field: "body"},
		"what is not UTF-8":             {body: "{\"quantity\":1,\"\xff\":1}", field: "body"},
		"a byte order mark":             {body: "\ufeff" + `{"quantity":1}`, field: "body"},
		"a megabyte":                    {body: `{"quantity":1,"x":"` + strings.Repeat("x", 1<<20) + `"}`, status: http.StatusRequestEntityTooLarge, field: "body"},
		"a megabyte of blanks":          {body: `{"quantity":1}` + strings.Repeat(" ", 1<<20), status: http.StatusRequestEntityTooLarge, field: "body"},
	}
}

func badContentTypes() map[string]badPurchase {
	return map[string]badPurchase{
		"a form":                        {body: `quantity=1`, header: []string{"Content-Type", "application/x-www-form-urlencoded"}, status: http.StatusUnsupportedMediaType, field: "Content-Type"},
		"text/json":                     {body: `{"quantity":1}`, header: []string{"Content-Type", "text/json"}, status: http.StatusUnsupportedMediaType, field: "Content-Type"},
		"another charset":               {body: `{"quantity":1}`, header: []string{"Content-Type", "application/json; charset=utf-16"}, status: http.StatusUnsupportedMediaType, field: "Content-Type"},
		"two content types":             {body: `{"quantity":1}`, header: []string{"Content-Type", "application/json", "Content-Type", "text/plain"}, status: http.StatusUnsupportedMediaType, field: "Content-Type"},
		"no body":                       {header: []string{"Content-Type", "application/json"}, field: "body"},
		"neither body nor content type": {status: http.StatusUnsupportedMediaType, field: "Content-Type"},
	}
}

func badKeys() map[string]badPurchase {
	return map[string]badPurchase{
		"a key of 7 characters":          {body: `{"quantity":1}`, header: []string{"Idempotency-Key", "1234567"}, field: "Idempotency-Key"},
		"a key of 129 characters":        {body: `{"quantity":1}`, header: []string{"Idempotency-Key", strings.Repeat("k", 129)}, field: "Idempotency-Key"},
		"an empty key":                   {body: `{"quantity":1}`, header: []string{"Idempotency-Key", ""}, field: "Idempotency-Key"},
		"a key with a space":             {body: `{"quantity":1}`, header: []string{"Idempotency-Key", "cart 42 x"}, field: "Idempotency-Key"},
		"a key with an umlaut":           {body: `{"quantity":1}`, header: []string{"Idempotency-Key", "cärt-42-x"}, field: "Idempotency-Key"},
		"a key with a control character": {body: `{"quantity":1}`, header: []string{"Idempotency-Key", "cart-42\x7f"}, field: "Idempotency-Key"},
		"two keys":                       {body: `{"quantity":1}`, header: []string{"Idempotency-Key", "cart-42-x", "Idempotency-Key", "cart-42-x"}, field: "Idempotency-Key"},
	}
}

func badItems() map[string]badPurchase {
	return map[string]badPurchase{
		"an item that is no number":   {body: `{"quantity":1}`, path: "/v1/items/mug/reservations", field: "item_id"},
		"an item with a sign":         {body: `{"quantity":1}`, path: "/v1/items/-1/reservations", field: "item_id"},
		"an item with a leading zero": {body: `{"quantity":1}`, path: "/v1/items/01/reservations", field: "item_id"},
		"item 2^63":                   {body: `{"quantity":1}`, path: "/v1/items/9223372036854775808/reservations", field: "item_id"},
	}
}

func TestBadPurchases(t *testing.T) {
	t.Parallel()
	cases := map[string]badPurchase{}
	for _, table := range []map[string]badPurchase{badQuantities(), badBodies(), badContentTypes(), badKeys(), badItems()} {
		maps.Copy(cases, table)
	}
	for name, c := range cases {
		t.Run("refuses "+name+", names it and does nothing", func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			if c.status == 0 {
				c.status = http.StatusBadRequest
			}
			if c.path == "" {
				c.path = reservationsURL
			}
			response := w.ask(call{method: http.MethodPost, path: c.path, body: c.body, header: asShopper(c.header...)})
			w.expectProblem(response, c.status, seckill.Invalid, c.field)
			if len(w.purchases.requests) != 0 {
				t.Errorf("bought %+v", w.purchases.requests)
			}
		})
	}
}

func TestFaultsWhileBuying(t *testing.T) {
	t.Parallel()
	for name, buy := range map[string]func(context.Context, purchase.Request) (purchase.Receipt, error){
		"an unexpected error": func(context.Context, purchase.Request) (purchase.Receipt, error) {
			return purchase.Receipt{}, errors.New("secret: redis said no")
		},
		"a deadline": func(context.Context, purchase.Request) (purchase.Receipt, error) {
			return purchase.Receipt{}, context.DeadlineExceeded
		},
		"a panic": func(context.Context, purchase.Request) (purchase.Receipt, error) { panic("secret: nil map") },
	} {
		t.Run("reads unknown_outcome after "+name+", without its words", func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.purchases.buy = buy
			problem := w.expectProblem(w.buy(`{"quantity":1}`), http.StatusServiceUnavailable, seckill.UnknownOutcome, "")
			if strings.Contains(problem.Detail, "secret") || problem.RetryAfter == 0 {
				t.Errorf("problem is %+v", problem)
			}
			if len(w.records("request failed")) != 1 {
				t.Error("the fault was not logged")
			}
		})
	}
}

func TestReservation(t *testing.T) {
	t.Parallel()
	path := reservationsURL + "/" + reservationID.String()
	t.Run("shows it with its order once there is one", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.purchases.status = func(context.Context, time.Duration) (seckill.Reservation, error) {
			r := queued()
			r.State = seckill.ReservationOrdered
			return r, nil
		}
		reservation := read[api.Reservation](t, w.ask(call{path: path, header: asShopper()}))
		if reservation.Status != api.ReservationStatusOrdered || reservation.OrderID != reservationID.String() {
			t.Errorf("reservation is %+v", reservation)
		}
	})
}

func TestWait(t *testing.T) {
	t.Parallel()
	path := reservationsURL + "/" + reservationID.String()
	t.Run("waits as long as asked, with a deadline behind it", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.purchases.status = func(ctx context.Context, wait time.Duration) (seckill.Reservation, error) {
			end, bounded := ctx.Deadline()
			if left := time.Until(end); !bounded || left <= wait || left > wait+10*time.Second {
				t.Errorf("waits %s with %s left", wait, left)
			}
			return queued(), nil
		}
		for wait, want := range map[string]time.Duration{
			"": 0, "?wait=0s": 0, "?wait=10s": 10 * time.Second, "?wait=30s": 30 * time.Second,
			"?wait=1ms": time.Millisecond, "?wait=30000ms": 30 * time.Second,
		} {
			expectStatus(t, w.ask(call{path: path + wait, header: asShopper()}), http.StatusOK)
			if got := w.purchases.waits[len(w.purchases.waits)-1]; got != want {
				t.Errorf("%q waited %s", wait, got)
			}
		}
	})
	t.Run("refuses other waits", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		for _, wait := range []string{
			"", "10", "31s", "30001ms", "1m", "-1s", "1.5s", "s", "ms", "010s", "+1s", "1e1s", "99999999999999999999s", "65537ms", "10s&wait=10s", "1%20s",
		} {
			response := w.ask(call{path: path + "?wait=" + wait, header: asShopper()})
			w.expectProblem(response, http.StatusBadRequest, seckill.Invalid, "wait")
		}
		w.expectProblem(w.ask(call{path: path + "?wait=%zz", header: asShopper()}), http.StatusBadRequest, seckill.Invalid, "query")
	})
	t.Run("refuses a malformed id by its name", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.expectProblem(w.ask(call{path: reservationsURL + "/abc", header: asShopper()}), http.StatusBadRequest, seckill.Invalid, "reservation_id")
		w.expectProblem(w.ask(call{path: "/v1/items/x/reservations/1", header: asShopper()}), http.StatusBadRequest, seckill.Invalid, "item_id")
	})
}

func TestReservationList(t *testing.T) {
	t.Parallel()
	t.Run("pages through all, oldest first, each once", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.purchases.mine = nil
		for id := seckill.ID(5); id > 0; id-- {
			w.purchases.mine = append(w.purchases.mine, seckill.Reservation{ID: id, Item: itemID, Quantity: 1, State: seckill.ReservationQueued})
		}
		var seen []string
		for next, pages := "", 0; pages == 0 || next != ""; pages++ {
			path := reservationsURL + "?limit=2"
			if next != "" {
				path += "&cursor=" + next
			}
			list := read[api.ReservationList](t, w.ask(call{path: path, header: asShopper()}))
			for _, reservation := range list.Data {
				seen = append(seen, reservation.ID)
			}
			next = list.Next
		}
		if got := strings.Join(seen, " "); got != "1 2 3 4 5" {
			t.Errorf("saw %s", got)
		}
	})
	t.Run("is a list when there is nothing", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.purchases.mine = nil
		if list := read[api.ReservationList](t, w.ask(call{path: reservationsURL, header: asShopper()})); list.Data == nil || list.Next != "" {
			t.Errorf("list is %+v", list)
		}
	})
	t.Run("refuses bad pages by their names", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		for query, field := range map[string]string{
			"limit=0": "limit", "limit=101": "limit", "limit=": "limit", "limit=1.5": "limit", "limit=02": "limit", "limit=1&limit=1": "limit",
			"cursor=": "cursor", "cursor=x": "cursor", "cursor=MA": "cursor", "cursor=" + strings.Repeat("A", 201): "cursor",
		} {
			w.expectProblem(w.ask(call{path: reservationsURL + "?" + query, header: asShopper()}), http.StatusBadRequest, seckill.Invalid, field)
		}
	})
}
