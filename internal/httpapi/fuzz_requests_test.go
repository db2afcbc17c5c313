package httpapi_test

import (
	"bufio"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/seckill-dev/seckill/internal/httpapi"
)

// FuzzRequest: whatever is sent, both listeners answer within the contract and never with a fault of ours, and whoever is
// refused has changed nothing.
func FuzzRequest(f *testing.F) {
	for _, seed := range [][3]string{
		{"POST " + reservationsURL, "Authorization: Bearer ada\nIdempotency-Key: cart-42-x\nContent-Type: application/json", `{"quantity":1}`},
		{"POST " + reservationsURL, "Authorization: Bearer ada\nContent-Type: application/json", `{"quantity":1e3}`},
		{"GET " + reservationsURL + "/7301444403200099?wait=1s", "Authorization: Bearer ada", ""},
		{"GET /v1/orders?limit=5&cursor=MjA", "Authorization: Bearer ada", ""},
		{"GET /v1/sales?state=live", "", ""},
		{"POST /v1/auth/register", "Content-Type: application/json", `{"username":"ann","password":"a long password"}`},
		{"POST /v1/orders/7301444403200099/cancel", "Authorization: Bearer ada\nIf-Match: W/\"1\"", ""},
		{"POST /v1/payments/webhooks/sandbox", "Sandbox-Signature: t=1,v1=00", "{}"},
		{"PATCH /admin/v1/sales/7301444403200010", "Authorization: Bearer " + operatorKey + "\nContent-Type: application/json\nIf-Match: \"3\"", `{"name":"x"}`},
		{"POST /admin/v1/items/7301444403200011/stock", "Authorization: Bearer " + operatorKey + "\nContent-Type: application/json", `{"delta":-5,"op_id":"7"}`},
		{"POST /admin/v1/sales/7301444403200010/preload?dry_run=true", "Authorization: Bearer " + operatorKey, ""},
		{"GET /admin/v1/log?actor=operator:ada", "Authorization: Bearer " + operatorKey, ""},
		{"DELETE /admin/v1/sales/x", "Authorization: Bearer " + operatorKey, ""},
		{"BREW /v1/%2e%2e/sales/", "X-Request-Id: \x7f", ""},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	var w *world // one for all: it takes longer to make than to ask, and nothing but what is reset here lasts in it
	f.Fuzz(func(t *testing.T, line, header, body string) {
		raw := line + " HTTP/1.1\r\nHost: shop.example\r\n" + strings.ReplaceAll(header, "\n", "\r\n") + "\r\n\r\n" + body
		if w == nil {
			w = newWorld(t, func(config *httpapi.Config) { config.Log = slog.New(slog.DiscardHandler) })
		}
		w.purchases.requests = nil
		for _, handler := range []http.Handler{w.edge.Shoppers(), w.edge.Operators()} {
			request, err := http.ReadRequest(bufio.NewReader(strings.NewReader(raw)))
			if err != nil || request.Method == http.MethodHead {
				t.Skip("net/http refuses it, or answers without a body")
			}
			if request.Header.Get("Content-Length") == "" && len(request.TransferEncoding) == 0 {
				request.ContentLength, request.Body = int64(len(body)), http.NoBody
				if body != "" {
					request.Body = readCloser{strings.NewReader(body)}
				}
			}
			w.expectSound(t, handler, request.WithContext(t.Context()))
		}
	})
}

type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }

func (w *world) expectSound(t *testing.T, handler http.Handler, request *http.Request) {
	t.Helper()
	bought := len(w.purchases.requests)
	w.operations.asked, w.operations.actor = "", ""
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, request)
	if recorder.Code >= http.StatusInternalServerError {
		t.Fatalf("answered %d: %s", recorder.Code, recorder.Body)
	}
	if recorder.Code < http.StatusBadRequest {
		return
	}
	if len(w.purchases.requests) != bought || w.operations.actor != "" {
		t.Fatalf("answered %d, but did %q for %q or bought %+v", recorder.Code, w.operations.asked, w.operations.actor, w.purchases.requests[bought:])
	}
	elsewhere := strings.Contains(recorder.Body.String(), "there is no such path") // which the contract has at the other listener
	if recorder.Header().Get("Content-Type") == "application/problem+json" && !elsewhere {
		w.document.Check(t, request, recorder.Result())
	}
}
