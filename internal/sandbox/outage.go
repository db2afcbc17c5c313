package sandbox

import (
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// outageMax bounds an outage.
const outageMax = 24 * time.Hour

// outage is a time during which the sandbox pretends to be away.
type outage struct {
	mu    sync.Mutex
	until time.Time
}

// left is how long it still lasts.
func (o *outage) left(now time.Time) time.Duration {
	o.mu.Lock()
	defer o.mu.Unlock()
	return max(0, o.until.Sub(now))
}

func (o *outage) set(until time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.until = until
}

// whileUp serves unless the sandbox is away.
func (s *Server) whileUp(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		left := s.outage.left(s.now())
		if left == 0 {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(left.Seconds()))))
		answer(w, http.StatusServiceUnavailable, &refusal{Code: "unavailable", Message: "the sandbox is away, as it was asked to be"})
	})
}

func (s *Server) beAway(w http.ResponseWriter, r *http.Request) error {
	var asked struct {
		Seconds float64 `json:"seconds"`
	}
	if err := decode(r, &asked); err != nil {
		return err
	}
	lasts, err := seconds("seconds", asked.Seconds, outageMax)
	if err != nil {
		return err
	}
	s.outage.set(s.now().Add(lasts))
	s.options.Log.Info("the sandbox is away", "for", lasts)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func seconds(name string, n float64, most time.Duration) (time.Duration, error) {
	if !(n >= 0 && n <= most.Seconds()) { // so that it is false for what is no number
		return 0, invalid("%s must be from 0 to %.0f", name, most.Seconds())
	}
	return time.Duration(n * float64(time.Second)), nil
}
