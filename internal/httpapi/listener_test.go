package httpapi_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/httpapi"
)

// pair is a connection as its server has it, and the other end.
func pair(t *testing.T) (served, client net.Conn) {
	t.Helper()
	inner, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	check(t, err)
	listener := httpapi.NewListener(inner)
	client, err = new(net.Dialer).DialContext(t.Context(), "tcp", inner.Addr().String())
	check(t, err)
	served, err = listener.Accept()
	check(t, err)
	check(t, listener.Close())
	t.Cleanup(func() {
		client.Close()
		served.Close() // a test may have closed it
	})
	return served, client
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

const soon = 30 * time.Millisecond

func expectLate(t *testing.T, what string, err error) {
	t.Helper()
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%s: %v, want the deadline's error", what, err)
	}
}

func TestDeadlinesOfConnections(t *testing.T) {
	t.Parallel()
	t.Run("end a read that waits, until they are lifted", func(t *testing.T) {
		t.Parallel()
		served, client := pair(t)
		for _, until := range []time.Time{time.Now().Add(soon), time.Unix(1, 0)} {
			check(t, served.SetReadDeadline(until))
			_, err := served.Read(make([]byte, 1))
			expectLate(t, "read", err)
		}
		check(t, served.SetDeadline(time.Now().Add(time.Hour)))
		_, err := client.Write([]byte("x"))
		check(t, err)
		_, err = served.Read(make([]byte, 1))
		check(t, err)
	})
	t.Run("end a write to somebody who does not read", func(t *testing.T) {
		t.Parallel()
		served, _ := pair(t)
		check(t, served.SetWriteDeadline(time.Now().Add(soon)))
		var err error
		for err == nil {
			_, err = served.Write(make([]byte, 1<<20))
		}
		expectLate(t, "write", err)
	})
	t.Run("interrupt a read from elsewhere, as net/http does", func(t *testing.T) {
		t.Parallel()
		served, _ := pair(t)
		read := make(chan error)
		go func() {
			_, err := served.Read(make([]byte, 1))
			read <- err
		}()
		check(t, served.SetReadDeadline(time.Unix(1, 0)))
		expectLate(t, "read", <-read)
	})
	t.Run("end with the connection, which may be closed twice", func(t *testing.T) {
		t.Parallel()
		served, client := pair(t)
		check(t, served.SetDeadline(time.Now().Add(soon)))
		check(t, served.Close())
		if _, err := client.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("the other end reads %v", err)
		}
		if err := served.Close(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("the second time: %v", err)
		}
	})
}

func TestListenerUnderAServer(t *testing.T) {
	t.Parallel()
	t.Run("lets go of who says nothing, serves who speaks, and ends", func(t *testing.T) {
		t.Parallel()
		inner, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
		check(t, err)
		server := &http.Server{
			Handler:           http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }),
			ReadHeaderTimeout: soon, ReadTimeout: soon, WriteTimeout: time.Minute, IdleTimeout: time.Minute,
		}
		ended := make(chan error, 1)
		go func() { ended <- server.Serve(httpapi.NewListener(inner)) }()
		silent, err := new(net.Dialer).DialContext(t.Context(), "tcp", inner.Addr().String())
		check(t, err)
		defer silent.Close()
		_, err = silent.Write([]byte("GET / HTTP/1.1\r\n"))
		check(t, err)
		if _, err := silent.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("who says nothing reads %v", err)
		}
		for range 3 {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+inner.Addr().String(), http.NoBody)
			check(t, err)
			answer, err := http.DefaultTransport.RoundTrip(request)
			check(t, err)
			check(t, answer.Body.Close())
		}
		check(t, server.Shutdown(context.WithoutCancel(t.Context())))
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("the server ended with %v", err)
		}
	})
}
