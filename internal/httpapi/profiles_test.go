package httpapi_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/seckill-dev/seckill/internal/httpapi"
)

// oneKey knows one operator.
type oneKey string

func (k oneKey) Actor(key string) (string, error) {
	if key != string(k) {
		return "", errors.New("no such key")
	}
	return "ada", nil
}

func TestProfiles(t *testing.T) {
	t.Parallel()
	below := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	handler := httpapi.WithProfiles(below, oneKey("an operator's key"))
	for _, c := range []struct {
		name, path, key string
		want            int
	}{
		{"shows a profile to an operator", "/debug/pprof/goroutine?debug=1", "an operator's key", http.StatusOK},
		{"shows none to anybody else", "/debug/pprof/goroutine?debug=1", "a guess", http.StatusUnauthorized},
		{"shows none to who says nothing", "/debug/pprof/heap", "", http.StatusUnauthorized},
		{"leaves everything else alone", "/metrics", "", http.StatusTeapot},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, c.path, http.NoBody)
			if c.key != "" {
				request.Header.Set("Authorization", "Bearer "+c.key)
			}
			answer := httptest.NewRecorder()
			handler.ServeHTTP(answer, request)
			if answer.Code != c.want {
				t.Errorf("%d, want %d", answer.Code, c.want)
			}
		})
	}
}
