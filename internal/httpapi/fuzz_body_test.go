package httpapi

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// sent is a body, of which it is known how much was read.
type sent struct {
	from io.Reader
	read int
}

func (s *sent) Read(p []byte) (int, error) {
	n, err := s.from.Read(p)
	s.read += n
	return n, err
}

func (s *sent) Close() error { return nil }

// FuzzReadBytes: whatever a client says of the length of its body, no more of it is read than the bound, and what is taken is
// the body, all of it.
func FuzzReadBytes(f *testing.F) {
	const most = 64
	for _, length := range []int64{-1, 0, 4, 5, most, most + 1, 1<<63 - 1} {
		f.Add(length, []byte("body"))
		f.Add(length, bytes.Repeat([]byte("x"), most))
		f.Add(length, bytes.Repeat([]byte("x"), most+1))
	}
	f.Fuzz(func(t *testing.T, length int64, content []byte) {
		if length < 0 {
			length = -1
		}
		body := &sent{from: bytes.NewReader(content)}
		if length >= 0 {
			body.from = io.LimitReader(body.from, length) // as net/http hands it on
		}
		c, _ := gin.CreateTestContext(httptest.NewRecorder())
		c.Request = &http.Request{Method: http.MethodPost, ContentLength: length, Body: body}
		got, err := readBytes(c, most)
		if body.read > most+1 || length > most && body.read > 0 {
			t.Fatalf("%d bytes of %d were read, %d were announced", body.read, len(content), length)
		}
		expectBody(t, content, length, most, got, err)
	})
}

// expectBody wants the body when all of it is there and within the bound, and a refusal otherwise.
func expectBody(t *testing.T, content []byte, length, most int64, got []byte, err error) {
	t.Helper()
	want, there := content, int64(len(content))
	if length >= 0 {
		want = content[:min(length, there)]
	}
	isWhole := int64(len(want)) <= most && (length < 0 || length <= min(there, most))
	var refusal *seckill.Refusal
	if isWhole != (err == nil) || isWhole && !bytes.Equal(got, want) || !isWhole && !errors.As(err, &refusal) {
		t.Fatalf("%d bytes, %d announced: %q, %v", there, length, got, err)
	}
}
