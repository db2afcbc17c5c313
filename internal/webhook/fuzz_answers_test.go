package webhook_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/seckill-dev/seckill/internal/handclock"
	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/webhook"
)

// bytesOf answers with bytes as they come from the network, and counts how many of a body are read.
type bytesOf struct {
	raw   []byte
	asked int
	read  int
}

func (b *bytesOf) RoundTrip(request *http.Request) (*http.Response, error) {
	b.asked++
	response, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(b.raw)), request)
	if err != nil {
		return nil, err
	}
	response.Body = counting{response.Body, &b.read}
	return response, nil
}

type counting struct {
	io.ReadCloser
	count *int
}

func (c counting) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	*c.count += n
	return n, err
}

// FuzzAnswers: an event is told when a receiver has said so with a 2xx to the only request there is, and unwanted when it has
// said 410; all else is an error in a bounded line, which never tells the URL. Of a body no more is read than was promised.
func FuzzAnswers(f *testing.F) {
	for _, seed := range []string{
		"HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "HTTP/1.1 410 Gone\r\n\r\n", "HTTP/1.1 500 Oh\r\nContent-Length: 9\r\n\r\n\x1b[2J天气",
		"HTTP/1.1 301 Moved\r\nLocation: https://elsewhere.example/\r\n\r\n", "HTTP/1.1 307 Moved\r\nLocation: :%\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\ncut",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "SSH-2.0-x\r\n", "",
		"HTTP/1.1 302 Found\r\nLocation: :" + strings.Repeat("%", 300) + "\r\n\r\n", "HTTP/1.1 500 Oh\r\n\r\n" + strings.Repeat("x", 1000),
	} {
		f.Add([]byte(seed))
	}
	const place = "https://shop.example/hook?key=a-secret-of-ours"
	f.Fuzz(func(t *testing.T, raw []byte) {
		receiver := &bytesOf{raw: raw}
		endpoint, err := webhook.New(webhook.Config{Name: "shop", URL: place, Secret: firstSecret, Clock: handclock.New()})
		if err != nil {
			t.Fatal(err)
		}
		endpoint.Through(receiver)
		err = endpoint.Tell(t.Context(), seckill.Event{ID: 77, Type: seckill.EventOrderPaid, Subject: 8, Version: 1, Data: []byte("{}")})
		if receiver.asked != 1 || receiver.read > 64<<10 {
			t.Fatalf("%q: asked %d times, %d bytes were read", raw, receiver.asked, receiver.read)
		}
		status := 0
		if response, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(raw)), nil); err == nil {
			status = response.StatusCode
			_ = response.Body.Close() // nobody reads it
		}
		if isTold := status >= 200 && status < 300; isTold != (err == nil) || errors.Is(err, seckill.ErrUnwanted) != (status == http.StatusGone) {
			t.Fatalf("%q: %v", raw, err)
		}
		if err == nil || bytes.Contains(raw, []byte("a-secret")) {
			return
		}
		if text := err.Error(); len(text) > 1000 || strings.ContainsAny(text, "\r\n\x1b") || !utf8.ValidString(text) || strings.Contains(text, "a-secret") {
			t.Fatalf("%q becomes %q", raw, text)
		}
	})
}
