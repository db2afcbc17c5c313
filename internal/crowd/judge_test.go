package crowd_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/crowd"
)

// The api that judges is one of those that are killed.
func TestJudge(t *testing.T) {
	t.Parallel()
	for _, question := range []string{"/stats", "/audit", "/ledger"} {
		t.Run("waits for an api that dies when it is asked for "+question, func(t *testing.T) {
			t.Parallel()
			s := newShop(60)
			shop := s.open(t)
			c := mixed(shop, crowd.Mix{Pay: 1})
			c.Patience = 4 * time.Second
			c.AdminURL, c.LedgerURL = dying(t, s, question), shop.URL
			if question == "/ledger" {
				c.AdminURL, c.LedgerURL = shop.URL, c.AdminURL
			}
			addsUp(t, play(t, c))
		})
	}
	t.Run("waits for a provider that does not answer for a while", func(t *testing.T) {
		t.Parallel()
		s := newShop(60)
		s.till.shut = 3
		c := mixed(s.open(t), crowd.Mix{Pay: 1})
		c.Patience = 4 * time.Second
		addsUp(t, play(t, c))
	})
	t.Run("gives up on an api that stays away", func(t *testing.T) {
		t.Parallel()
		s := newShop(60)
		c := config(s.open(t).URL)
		c.AdminURL, c.Patience = "http://127.0.0.1:1", 500*time.Millisecond
		if report := play(t, c); report.Counts[crowd.Stalled] == 0 {
			t.Errorf("found %v", report.Problems)
		}
	})
}

// dying serves the shop until it is asked that question for the first time: then it is gone for a while.
func dying(t *testing.T, s *shop, question string) (url string) {
	t.Helper()
	var once sync.Once
	asked, back := make(chan struct{}), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, question) {
			s.handler().ServeHTTP(w, r)
			return
		}
		once.Do(func() { close(asked) })
		panic(http.ErrAbortHandler)
	}))
	t.Cleanup(server.Close)
	address := server.Listener.Addr().String()
	go func() {
		defer close(back)
		select {
		case <-asked:
			_ = server.Listener.Close()
			<-time.After(300 * time.Millisecond)
			serve(t, s, address)
		case <-t.Context().Done():
		}
	}()
	t.Cleanup(func() { <-back })
	return server.URL
}
