package adminclient_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/seckill-dev/seckill/api"
	"github.com/seckill-dev/seckill/internal/adminclient"
)

// asked is what a system was asked.
type asked struct {
	line, key, match, contentType, body string
}

// system answers everything with one status and body, and remembers what it was asked last.
func system(t *testing.T, status int, answer any) (*adminclient.Client, *asked) {
	t.Helper()
	var last asked
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		last = asked{
			r.Method + " " + r.URL.RequestURI(), r.Header.Get("Authorization"), r.Header.Get("If-Match"),
			r.Header.Get("Content-Type"), string(body),
		}
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(answer)
	}))
	t.Cleanup(server.Close)
	client, err := adminclient.New(server.URL+"/", "a-key", server.Client())
	if err != nil {
		t.Fatal(err)
	}
	return client, &last
}

func TestClient(t *testing.T) {
	t.Parallel()
	t.Run("asks as the contract says", asksAsTheContractSays)
	t.Run("tells a refusal in the system's own sentence, and whether it may pass", tellsRefusals)
	t.Run("tells that no answer came, which may pass too", tellsSilence)
	t.Run("makes no path out of an id", escapesIDs)
	t.Run("refuses an address that is none", refusesAddresses)
}

func asksAsTheContractSays(t *testing.T) {
	t.Parallel()
	client, last := system(t, http.StatusOK, struct{}{})
	ask := func(want asked, err error) {
		t.Helper()
		want.key = "Bearer a-key"
		if want.body != "" {
			want.contentType = "application/json"
		}
		if err != nil || *last != want {
			t.Errorf("asked %+v (%v), want %+v", *last, err, want)
		}
	}
	ctx, name := t.Context(), "Friday"
	_, err := client.Sales(ctx, "live", adminclient.Page{Cursor: "abc", Limit: 5})
	ask(asked{line: "GET /admin/v1/sales?cursor=abc&limit=5&state=live"}, err)
	_, err = client.EditSale(ctx, "7", 3, api.SalePatch{Name: &name})
	ask(asked{line: "PATCH /admin/v1/sales/7", match: `"3"`, body: `{"name":"Friday"}`}, err)
	err = client.DeleteSale(ctx, "7", 3)
	ask(asked{line: "DELETE /admin/v1/sales/7", match: `"3"`}, err)
	_, err = client.Preload(ctx, "7", 0, true)
	ask(asked{line: "POST /admin/v1/sales/7/preload?dry_run=true"}, err)
	_, err = client.AdjustStock(ctx, "8", api.StockAdjustment{Delta: -5, OpID: "x"})
	ask(asked{line: "POST /admin/v1/items/8/stock", body: `{"delta":-5,"op_id":"x"}`}, err)
	_, err = client.ReopenStock(ctx, "8", "r")
	ask(asked{line: "POST /admin/v1/items/8/reopen", body: `{"reason":"r"}`}, err)
	_, err = client.RefundOrder(ctx, "9", 2, api.RefundOrder{Reason: "r", Restock: true})
	ask(asked{line: "POST /admin/v1/orders/9/refund", match: `"2"`, body: `{"reason":"r","restock":true}`}, err)
	_, err = client.Orders(ctx, "a@b", adminclient.Page{})
	ask(asked{line: "GET /admin/v1/orders?user=a%40b"}, err)
	_, err = client.Log(ctx, "7", "operator:ada", adminclient.Page{})
	ask(asked{line: "GET /admin/v1/log?actor=operator%3Aada&target=7"}, err)
	_, err = client.Audit(ctx, "")
	ask(asked{line: "GET /admin/v1/audit"}, err)
	_, err = client.Audit(ctx, "7")
	ask(asked{line: "GET /admin/v1/sales/7/audit"}, err)
}

func tellsRefusals(t *testing.T) {
	t.Parallel()
	for status, passing := range map[int]bool{
		http.StatusConflict: false, http.StatusNotFound: false, http.StatusTooManyRequests: true, http.StatusServiceUnavailable: true,
	} {
		client, _ := system(t, status, api.Problem{Detail: "this sale is paused"})
		_, err := client.Pause(t.Context(), "7", 0)
		var refused *adminclient.Refused
		if !errors.As(err, &refused) || err.Error() != "this sale is paused" || refused.Passing() != passing || refused.Status != status {
			t.Errorf("%d: %v, passing %t", status, err, passing)
		}
	}
	for detail, want := range map[string]string{
		"must not be 0":       "delta must not be 0",
		"delta is missing":    "delta is missing",
		"at most 3 are there": "at most 3 are there",
	} {
		client, _ := system(t, http.StatusBadRequest, api.Problem{Field: "delta", Detail: detail})
		if _, err := client.Stats(t.Context(), "7"); err == nil || err.Error() != want {
			t.Errorf("answered %v, want %s", err, want)
		}
	}
	client, _ := system(t, http.StatusBadGateway, "<html>")
	if _, err := client.Stats(t.Context(), "7"); err == nil || err.Error() != "the system answered 502 Bad Gateway" {
		t.Errorf("answered %v", err)
	}
}

func tellsSilence(t *testing.T) {
	t.Parallel()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	client, err := adminclient.New(gone.URL, "a-key", nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.Replay(t.Context(), "7")
	var unanswered *adminclient.Unanswered
	if !errors.As(err, &unanswered) || !unanswered.Passing() || unanswered.URL != gone.URL {
		t.Errorf("answered %v", err)
	}
}

func escapesIDs(t *testing.T) {
	t.Parallel()
	client, last := system(t, http.StatusOK, struct{}{})
	if _, err := client.Order(t.Context(), "../sales/7?x=1"); err != nil || last.line != "GET /admin/v1/orders/..%2Fsales%2F7%3Fx=1" {
		t.Errorf("asked %s, %v", last.line, err)
	}
}

func refusesAddresses(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"", "admin", "127.0.0.1:8081", "ftp://127.0.0.1", "http://", "http://a b"} {
		if _, err := adminclient.New(address, "a-key", nil); err == nil {
			t.Errorf("took %q", address)
		}
	}
}
