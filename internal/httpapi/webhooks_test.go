package httpapi_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const webhookPath = "/v1/payments/webhooks/till"

// notify posts a notice as a provider does.
func (w *world) notify(body string, header ...string) answer {
	w.t.Helper()
	return w.ask(call{method: http.MethodPost, path: webhookPath, body: body, header: headers(header...)})
}

func TestNotices(t *testing.T) {
	t.Parallel()
	t.Run("are passed on byte by byte, with their headers, whatever their type", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		const body = " {\"a\":\xff\x00}\n"
		for _, kind := range []string{"application/json", "text/plain", "", "nonsense; ;"} {
			response := w.notify(body, "Content-Type", kind, "Till-Signature", "t=1,v1=abc")
			expectStatus(t, response, http.StatusNoContent)
			notice := w.checkout.notice
			if w.checkout.provider != "till" || string(notice.Body) != body || notice.Header("till-signature") != "t=1,v1=abc" ||
				notice.Header("Other") != "" || !notice.At.Equal(noon()) || len(response.body) != 0 {
				t.Errorf("%q: %s got %q at %s, answered %q", kind, w.checkout.provider, notice.Body, notice.At, response.body)
			}
		}
	})
	t.Run("need no token, and a token opens nothing", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		expectStatus(t, w.notify("{}", "Authorization", "Bearer bad"), http.StatusNoContent)
		w.checkout.err = seckill.Refuse(seckill.Unauthenticated, "forged")
		w.expectProblem(w.notify("{}", "Authorization", "Bearer ada"), http.StatusUnauthorized, seckill.Unauthenticated, "")
	})
	t.Run("are to be sent again while a store is away", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.checkout.err = fmt.Errorf("record: %w", seckill.ErrUnavailable)
		response := w.notify("{}")
		w.expectProblem(response, http.StatusServiceUnavailable, seckill.Busy, "")
		if response.header.Get("Retry-After") == "" {
			t.Error("nobody says when")
		}
	})
	t.Run("are never logged, whatever becomes of them", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		for _, err := range []error{
			nil, seckill.Refuse(seckill.Unauthenticated, "forged"), seckill.InvalidField("body", "garbage"), seckill.ErrUnavailable,
		} {
			w.checkout.err = err
			w.notify(`{"card":"4242"}`, "Till-Signature", "v1=cafe")
		}
		if log := string(w.log.bytes()); strings.Contains(log, "4242") || strings.Contains(log, "cafe") {
			t.Errorf("log is %s", log)
		}
	})
}

func TestNoticeBounds(t *testing.T) {
	t.Parallel()
	t.Run("take 64 KiB and no more", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		expectStatus(t, w.notify(strings.Repeat("x", 64<<10)), http.StatusNoContent)
		w.checkout.provider = ""
		response := w.notify(strings.Repeat("x", 64<<10+1))
		w.expectProblem(response, http.StatusRequestEntityTooLarge, seckill.Invalid, "body")
		if w.checkout.provider != "" {
			t.Error("it was read")
		}
	})
	t.Run("hold for a body without length", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		body := io.MultiReader(strings.NewReader("x"), strings.NewReader(strings.Repeat("x", 1<<20)))
		response, err := w.do(newRequest(t, http.MethodPost, w.listen(nil)+webhookPath, body, http.Header{}))
		if err == nil { // else the connection was cut before the answer was read: refused all the same
			w.expectProblem(response, http.StatusRequestEntityTooLarge, seckill.Invalid, "body")
		}
		if w.checkout.provider != "" {
			t.Error("it was read")
		}
	})
	t.Run("hold for the provider's name", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		for _, name := range []string{"Till", "till2", "till.example", strings.Repeat("a", 33), "%00"} {
			response := w.ask(call{method: http.MethodPost, path: "/v1/payments/webhooks/" + name, body: "{}"})
			w.expectProblem(response, http.StatusBadRequest, seckill.Invalid, "provider")
		}
	})
}
