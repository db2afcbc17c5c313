package webhook_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/handclock"
	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/webhook"
)

const (
	firstSecret  = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	secondSecret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
)

func paid() seckill.Event {
	return seckill.Event{
		ID: 7301444403200101, Type: seckill.EventOrderPaid, Subject: 7301444403200099, Version: 2,
		Data: []byte(`{"id":"7301444403200099","status":"paid"}`), At: time.Date(2026, 3, 20, 10, 0, 0, 250e6, time.UTC),
	}
}

// receiver is a server of the shop.
func receiver(t *testing.T, answer http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	return server
}

// endpoint tells a receiver on this machine, unless the test says otherwise.
func endpoint(t *testing.T, url string, change ...func(*webhook.Config)) *webhook.Endpoint {
	t.Helper()
	config := webhook.Config{Name: "shop", URL: url, Secret: firstSecret, AllowPrivate: true, Clock: handclock.New()}
	for _, c := range change {
		c(&config)
	}
	e, err := webhook.New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

// verifies does what a receiver does, without our code.
func verifies(t *testing.T, secret string, header http.Header, body []byte) bool {
	t.Helper()
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha256.New, key)
	_, _ = mac.Write([]byte(header.Get("webhook-id") + "." + header.Get("webhook-timestamp") + "." + string(body)))
	want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	for signature := range strings.FieldsSeq(header.Get("webhook-signature")) {
		if hmac.Equal([]byte(signature), []byte(want)) {
			return true
		}
	}
	return false
}

func TestTell(t *testing.T) {
	t.Parallel()
	t.Run("posts the event with its id, the time and a signature", postsTheEvent)
	t.Run("signs with every secret while one replaces another", signsWithEverySecret)
	t.Run("takes 2xx for told, 410 for the end, and all else for a failure", judgesStatuses)
	t.Run("follows no redirect", followsNoRedirect)
	t.Run("reads no more of an answer than it has room for", func(t *testing.T) {
		t.Parallel()
		server := receiver(t, func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 1<<10)); err != nil {
					return
				}
			}
		})
		if err := endpoint(t, server.URL).Tell(t.Context(), paid()); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("gives up on who does not answer", func(t *testing.T) {
		t.Parallel()
		ctx, giveUp := context.WithCancel(t.Context())
		server := receiver(t, func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.ReadAll(r.Body) // else the server does not notice who leaves
			giveUp()
			<-r.Context().Done()
		})
		if err := endpoint(t, server.URL).Tell(ctx, paid()); !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v", err)
		}
	})
	t.Run("trusts only authorities that it knows", trustsAuthorities)
	t.Run("never shows the URL in an error", func(t *testing.T) {
		t.Parallel()
		server := receiver(t, func(http.ResponseWriter, *http.Request) {})
		url := server.URL + "/?token=hush"
		server.Close()
		if err := endpoint(t, url).Tell(t.Context(), paid()); err == nil || strings.Contains(err.Error(), "hush") {
			t.Fatalf("got %v", err)
		}
	})
}

func postsTheEvent(t *testing.T) {
	t.Parallel()
	type request struct {
		method, path string
		header       http.Header
		body         []byte
	}
	got := make(chan request, 1)
	server := receiver(t, func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- request{r.Method, r.URL.Path, r.Header, body}
	})
	e := endpoint(t, server.URL+"/events")
	if err := e.Tell(t.Context(), paid()); err != nil || e.Name() != "shop" {
		t.Fatal(err)
	}
	r := <-got
	if r.method != http.MethodPost || r.path != "/events" || r.header.Get("Content-Type") != "application/json" {
		t.Errorf("got %+v", r)
	}
	const want = `{"id":"7301444403200101","type":"order.paid","subject":"7301444403200099","version":2,` +
		`"timestamp":"2026-03-20T10:00:00.25Z","data":{"id":"7301444403200099","status":"paid"}}`
	if string(r.body) != want || !json.Valid(r.body) {
		t.Errorf("got %s", r.body)
	}
	if r.header.Get("webhook-id") != "7301444403200101" || r.header.Get("webhook-timestamp") != "1774000800" {
		t.Errorf("got %v", r.header)
	}
	if !verifies(t, firstSecret, r.header, r.body) || verifies(t, secondSecret, r.header, r.body) || verifies(t, firstSecret, r.header, r.body[1:]) {
		t.Errorf("the signature is %s", r.header.Get("webhook-signature"))
	}
}

func signsWithEverySecret(t *testing.T) {
	t.Parallel()
	var first, second atomic.Bool
	server := receiver(t, func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		first.Store(verifies(t, firstSecret, r.Header, body))
		second.Store(verifies(t, secondSecret, r.Header, body))
	})
	both := func(c *webhook.Config) { c.Secret = secondSecret + " " + firstSecret }
	if err := endpoint(t, server.URL, both).Tell(t.Context(), paid()); err != nil {
		t.Fatal(err)
	}
	if !first.Load() || !second.Load() {
		t.Fatalf("verified by the old secret: %t, by the new one: %t", first.Load(), second.Load())
	}
}

func judgesStatuses(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]string{
		200: "told", 202: "told", 204: "told", 410: "gone",
		301: "failed", 304: "failed", 400: "failed", 401: "failed", 404: "failed", 429: "failed", 500: "failed", 503: "failed",
	} {
		server := receiver(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
		err := endpoint(t, server.URL).Tell(t.Context(), paid())
		got := "failed"
		switch {
		case err == nil:
			got = "told"
		case errors.Is(err, seckill.ErrUnwanted):
			got = "gone"
		}
		if got != want {
			t.Errorf("%d: %s, want %s; %v", status, got, want, err)
		}
		if got == "gone" && err.Error() != "tell shop: the receiver answers 410: it wants no more events" {
			t.Errorf("%d: got %v", status, err)
		}
	}
}

func followsNoRedirect(t *testing.T) {
	t.Parallel()
	var reached atomic.Bool
	private := receiver(t, func(http.ResponseWriter, *http.Request) { reached.Store(true) })
	for _, status := range []int{http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect} {
		server := receiver(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, private.URL, status) })
		if err := endpoint(t, server.URL).Tell(t.Context(), paid()); err == nil || !strings.Contains(err.Error(), "redirect") {
			t.Errorf("%d: got %v", status, err)
		}
	}
	if reached.Load() {
		t.Error("a redirect was followed")
	}
}

func trustsAuthorities(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
	server.StartTLS()
	t.Cleanup(server.Close)
	if err := endpoint(t, server.URL).Tell(t.Context(), paid()); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("got %v", err)
	}
	trusting := func(c *webhook.Config) {
		c.Authorities = x509.NewCertPool()
		c.Authorities.AddCert(server.Certificate())
	}
	if err := endpoint(t, server.URL, trusting).Tell(t.Context(), paid()); err != nil {
		t.Error(err)
	}
}

func TestNew(t *testing.T) {
	t.Parallel()
	t.Run("refuses what can never work, without quoting it", func(t *testing.T) {
		t.Parallel()
		for name, change := range map[string]func(*webhook.Config){
			"no URL":             func(c *webhook.Config) { c.URL = "" },
			"no host":            func(c *webhook.Config) { c.URL = "https:///hush" },
			"another scheme":     func(c *webhook.Config) { c.URL = "ftp://hush/" },
			"a password":         func(c *webhook.Config) { c.URL = "https://ada:hush@shop/" },
			"a fragment":         func(c *webhook.Config) { c.URL = "https://shop/#hush" },
			"no secret":          func(c *webhook.Config) { c.Secret = "" },
			"no prefix":          func(c *webhook.Config) { c.Secret = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" },
			"not base64":         func(c *webhook.Config) { c.Secret = "whsec_hush hush hush" },
			"a short secret":     func(c *webhook.Config) { c.Secret = "whsec_MfKQ9r8G" },
			"too many secrets":   func(c *webhook.Config) { c.Secret = strings.Repeat(firstSecret+" ", 5) },
			"one bad among good": func(c *webhook.Config) { c.Secret = firstSecret + " whsec_hush" },
		} {
			config := webhook.Config{Name: "shop", URL: "https://shop.example/events", Secret: firstSecret, Clock: handclock.New()}
			change(&config)
			_, err := webhook.New(config)
			if err == nil || strings.Contains(err.Error(), "hush") || strings.Contains(err.Error(), "MfKQ") {
				t.Errorf("%s: got %v", name, err)
			}
		}
	})
}

func TestSign(t *testing.T) {
	t.Parallel()
	t.Run("signs as the example of Standard Webhooks", func(t *testing.T) {
		t.Parallel()
		got, err := webhook.Sign(firstSecret, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", []byte(`{"test": 2432232314}`))
		if err != nil || got != "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" {
			t.Fatalf("got %s, %v", got, err)
		}
	})
}
