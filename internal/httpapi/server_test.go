package httpapi_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/httpapi"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// listen serves the shoppers on a free port with the server's timeouts changed.
func (w *world) listen(change func(*http.Server)) string {
	w.t.Helper()
	server := httpapi.NewServer(w.edge.Shoppers(), slog.New(slog.DiscardHandler))
	if change != nil {
		change(server)
	}
	listener, err := (&net.ListenConfig{}).Listen(w.t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	w.t.Cleanup(func() {
		_ = server.Close()
		<-done
	})
	return "http://" + listener.Addr().String()
}

// do sends a request over the network and holds the answer against the contract.
func (w *world) do(request *http.Request) (answer, error) {
	w.t.Helper()
	response, err := (&http.Client{Transport: w.document.Transport(w.t, &http.Transport{})}).Do(request)
	if err != nil {
		return answer{}, err
	}
	return answerOf(w.t, response), nil
}

func newRequest(t *testing.T, method, url string, body io.Reader, header http.Header) *http.Request {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	request.Header = header
	return request
}

func TestServerBounds(t *testing.T) {
	t.Parallel()
	t.Run("are there for every phase of a connection", func(t *testing.T) {
		t.Parallel()
		for _, server := range []*http.Server{
			httpapi.NewServer(nil, slog.New(slog.DiscardHandler)), httpapi.NewOperatorServer(nil, slog.New(slog.DiscardHandler)),
		} {
			if server.ReadHeaderTimeout <= 0 || server.ReadTimeout <= 0 || server.IdleTimeout <= 0 || server.MaxHeaderBytes <= 0 ||
				server.WriteTimeout <= 30*time.Second {
				t.Errorf("server is %+v", server)
			}
		}
	})
	t.Run("refuse a body without length that is too large", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		body := io.MultiReader(strings.NewReader(`{"quantity":1`), strings.NewReader(strings.Repeat(" ", 1<<20)), strings.NewReader("}"))
		request := newRequest(t, http.MethodPost, w.listen(nil)+reservationsURL, body, asShopper("Content-Type", "application/json"))
		response, err := w.do(request)
		if err == nil { // else the connection was cut before the answer was read: refused all the same
			w.expectProblem(response, http.StatusRequestEntityTooLarge, seckill.Invalid, "body")
		}
		if len(w.purchases.requests) != 0 {
			t.Error("it was bought")
		}
	})
	t.Run("refuse a header that is too large", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		request := newRequest(t, http.MethodGet, w.listen(nil)+itemPath, http.NoBody, headers("X-Pad", strings.Repeat("x", 64<<10)))
		response, err := (&http.Client{Transport: &http.Transport{}}).Do(request)
		if err != nil {
			return // cut off: as good
		}
		expectStatus(t, answerOf(t, response), http.StatusRequestHeaderFieldsTooLarge)
	})
}

func TestLongPoll(t *testing.T) {
	t.Parallel()
	t.Run("outlives the read timeout", func(t *testing.T) {
		t.Parallel()
		const readTimeout = 50 * time.Millisecond
		w := newWorld(t, func(config *httpapi.Config) { config.Clock = seckill.SystemClock{} })
		w.purchases.status = func(ctx context.Context, _ time.Duration) (seckill.Reservation, error) {
			select {
			case <-ctx.Done():
				return seckill.Reservation{}, ctx.Err()
			case <-time.After(4 * readTimeout):
				return queued(), nil
			}
		}
		url := w.listen(func(server *http.Server) { server.ReadTimeout = readTimeout })
		response, err := w.do(newRequest(t, http.MethodGet, url+reservationsURL+"/1?wait=10s", http.NoBody, asShopper()))
		if err != nil {
			t.Fatal(err)
		}
		expectStatus(t, response, http.StatusOK)
	})
	t.Run("ends when the client leaves", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, func(config *httpapi.Config) { config.Clock = seckill.SystemClock{} })
		waiting, ended := make(chan struct{}), make(chan struct{})
		w.purchases.status = func(ctx context.Context, _ time.Duration) (seckill.Reservation, error) {
			close(waiting)
			<-ctx.Done()
			close(ended)
			return seckill.Reservation{}, ctx.Err()
		}
		connection, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(w.listen(nil), "http://"))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(connection, "GET %s/1?wait=30s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ada\r\n\r\n", reservationsURL)
		<-waiting
		_ = connection.Close()
		<-ended
	})
}
