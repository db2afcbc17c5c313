package load_test

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/loadtest/bench/load"
)

// counted answers 202 and remembers which requests it has seen; every sixteenth of those in odd is refused.
type counted struct {
	mu   sync.Mutex
	seen map[int64]int
	odd  bool
}

func (c *counted) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	n, _ := strconv.ParseInt(strings.TrimPrefix(request.URL.Path, "/"), 10, 64)
	c.mu.Lock()
	c.seen[n]++
	c.mu.Unlock()
	if c.odd && n%16 == 3 {
		w.WriteHeader(http.StatusConflict)
		fmt.Fprint(w, "no more")
		return
	}
	body := strings.Repeat("x", int(n%9000)) // some are longer than the reader's first room
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusAccepted)
	fmt.Fprint(w, body)
}

func start(t *testing.T, c *counted) string {
	t.Helper()
	c.seen = map[int64]int{}
	s := httptest.NewServer(c)
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

func request(b []byte, n int64) []byte {
	return fmt.Appendf(b, "GET /%d HTTP/1.1\r\nHost: bench\r\n\r\n", n)
}

func TestRunSendsEachRequestOnceInAClosedLoop(t *testing.T) {
	t.Parallel()
	var c counted
	result, err := load.Run(t.Context(), load.Plan{
		Addr: start(t, &c), Connections: 8, Request: request, Most: 20_000, Status: http.StatusAccepted, Duration: time.Minute,
	})
	if err != nil {
		t.Fatal(err)
	}
	wantOnce(t, &c, 20_000)
	if result.Answers(http.StatusAccepted) != 20_000 || result.Counted != 20_000 || result.Latency.TotalCount() != 20_000 || !result.Ended {
		t.Errorf("%+v", result)
	}
	if result.Elapsed >= time.Minute || result.PerSecond() < 1 {
		t.Errorf("ended after %v with %v a second", result.Elapsed, result.PerSecond())
	}
}

func TestRunSendsWhatIsDueInAnOpenLoop(t *testing.T) {
	t.Parallel()
	var c counted
	result, err := load.Run(t.Context(), load.Plan{
		Addr: start(t, &c), Connections: 8, Request: request, Status: http.StatusAccepted,
		Rate: 1000, Warm: 100 * time.Millisecond, Duration: 400 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	wantOnce(t, &c, 500)
	if result.Counted != 400 || result.Lag.TotalCount() != 400 || result.Latency.TotalCount() != 400 {
		t.Errorf("%+v", result)
	}
}

func TestRunTellsOfUnexpectedAnswers(t *testing.T) {
	t.Parallel()
	c := counted{odd: true}
	result, err := load.Run(t.Context(), load.Plan{
		Addr: start(t, &c), Connections: 4, Request: request, Most: 160, Status: http.StatusAccepted, Duration: time.Minute,
	})
	var unexpected *load.UnexpectedError
	if !errors.As(err, &unexpected) || unexpected.Count != 10 || unexpected.Status != http.StatusConflict || unexpected.Body != "no more" {
		t.Fatal(err)
	}
	if result.Answers(http.StatusConflict) != 10 || result.Answers(http.StatusAccepted) != 150 {
		t.Errorf("%+v", result.Statuses)
	}
}

func TestRunFailsWhenAConnectionIsCut(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it does not wait
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		if socket, err := listener.Accept(); err == nil {
			socket.Close()
		}
	}()
	_, err = load.Run(t.Context(), load.Plan{
		Addr: listener.Addr().String(), Connections: 1, Request: request, Status: http.StatusOK, Duration: time.Minute,
	})
	if err == nil {
		t.Error("it did not notice")
	}
}

func wantOnce(t *testing.T, c *counted, most int64) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	for n := range most {
		if c.seen[n] != 1 {
			t.Fatalf("request %d was seen %d times", n, c.seen[n])
		}
	}
	if int64(len(c.seen)) != most {
		t.Errorf("%d requests, want %d", len(c.seen), most)
	}
}
