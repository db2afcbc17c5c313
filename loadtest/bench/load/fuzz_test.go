package load

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
)

// FuzzAnswers: an answer that is read is what net/http reads, and what Go's servers write is read, in whatever pieces it
// comes.
func FuzzAnswers(f *testing.F) {
	for _, seed := range []string{
		"HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\ncut", "HTTP/1.1 200 OK\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx", "HTTP/1.1 2x0 OK\r\nContent-Length: 0\r\n\r\n", "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", "",
		"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\n", strings.Repeat("x", answerRoom),
	} {
		f.Add([]byte(seed), uint16(202), []byte("body"))
	}
	f.Fuzz(func(t *testing.T, raw []byte, status uint16, body []byte) {
		got, text, err := newReader(bytes.NewReader(raw)).read()
		if err == nil {
			expectSame(t, raw, got, text)
		}
		if status < 200 || status > 599 || status == http.StatusNoContent || status == http.StatusNotModified {
			return // those have no length
		}
		written := answerOf(t, int(status), body)
		for _, from := range []io.Reader{bytes.NewReader(written), iotest.OneByteReader(bytes.NewReader(written)), iotest.HalfReader(bytes.NewReader(written))} {
			if got, text, err := newReader(from).read(); err != nil || got != int(status) || !bytes.Equal(text, body) {
				t.Fatalf("%q is read as %d %q, %v", written, got, text, err)
			}
		}
	})
}

// answerOf is an answer as Go's servers write it.
func answerOf(t *testing.T, status int, body []byte) []byte {
	t.Helper()
	response := &http.Response{
		StatusCode: status, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
		Request: &http.Request{Method: http.MethodGet},
	}
	var written bytes.Buffer
	if err := response.Write(&written); err != nil {
		t.Fatal(err)
	}
	return written.Bytes()
}

// expectSame holds an answer against net/http, for which some that are read here are none.
func expectSame(t *testing.T, raw []byte, status int, body []byte) {
	t.Helper()
	if status < 100 || status > 599 || len(body) > len(raw) {
		t.Fatalf("%q is read as %d %q", raw, status, body)
	}
	if bytes.Count(raw, []byte("\n")) != bytes.Count(raw, []byte("\r\n")) {
		return // net/http ends lines where Go's servers never do
	}
	usual, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(raw)), nil)
	if err != nil {
		return
	}
	defer usual.Body.Close()
	if usual.StatusCode != status {
		t.Fatalf("%q is read as %d, not %d", raw, status, usual.StatusCode)
	}
	if usual.ContentLength != int64(len(body)) {
		return // a second length, or none where the status has no body
	}
	if text, err := io.ReadAll(usual.Body); err == nil && !bytes.Equal(text, body) {
		t.Fatalf("%q is read as %q, not %q", raw, body, text)
	}
}
