package load

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
)

const (
	answerRoom = 4 << 10
	answerMax  = 1 << 20
)

// What an answer is recognised by. Go's servers write header names like this, and nobody else is asked.
const (
	answerBegins = "HTTP/1.1 "
	headerEnds   = "\r\n\r\n"
	lengthHeader = "\r\nContent-Length: "
	closeHeader  = "\r\nConnection: close"
)

// reader reads answers of a kept connection, one at a time. An answer without a length is an error: every side says it.
type reader struct {
	from   io.Reader
	buffer []byte
}

func newReader(from io.Reader) *reader {
	return &reader{from: from, buffer: make([]byte, 0, answerRoom)}
}

// read returns status and body of the next answer; the body is good until the next call.
func (r *reader) read() (status int, body []byte, err error) {
	r.buffer = r.buffer[:0]
	end := -1
	for end < 0 {
		if err := r.more(); err != nil {
			return 0, nil, err
		}
		end = bytes.Index(r.buffer, []byte(headerEnds))
	}
	status, length, err := readHeader(r.buffer[:end+len("\r\n")])
	if err != nil {
		return 0, nil, err
	}
	begin := end + len(headerEnds)
	for len(r.buffer) < begin+length {
		if err := r.more(); err != nil {
			return 0, nil, err
		}
	}
	if len(r.buffer) > begin+length {
		return 0, nil, errors.New("there is more than one answer")
	}
	return status, r.buffer[begin:], nil
}

// more reads what there is.
func (r *reader) more() error {
	if len(r.buffer) == cap(r.buffer) {
		if cap(r.buffer) >= answerMax {
			return fmt.Errorf("an answer is longer than %d bytes", answerMax)
		}
		r.buffer = append(make([]byte, 0, 2*cap(r.buffer)), r.buffer...)
	}
	n, err := r.from.Read(r.buffer[len(r.buffer):cap(r.buffer)])
	r.buffer = r.buffer[:len(r.buffer)+n]
	if n > 0 {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

func readHeader(header []byte) (status, length int, err error) {
	const digits = 3
	if len(header) < len(answerBegins)+digits || string(header[:len(answerBegins)]) != answerBegins {
		return 0, 0, fmt.Errorf("an answer begins %q", header[:min(len(header), 40)])
	}
	status, err = strconv.Atoi(string(header[len(answerBegins) : len(answerBegins)+digits]))
	if err != nil || status < 100 || status > 599 {
		return 0, 0, fmt.Errorf("an answer begins %q", header[:min(len(header), 40)])
	}
	if bytes.Contains(header, []byte(closeHeader)) {
		return 0, 0, fmt.Errorf("the connection is closed with status %d", status)
	}
	at := bytes.Index(header, []byte(lengthHeader))
	if at < 0 {
		return 0, 0, fmt.Errorf("an answer with status %d has no length", status)
	}
	rest := header[at+len(lengthHeader):]
	length, err = strconv.Atoi(string(rest[:max(bytes.IndexByte(rest, '\r'), 0)]))
	if err != nil || length < 0 || length > answerMax {
		return 0, 0, fmt.Errorf("an answer with status %d has the length %q", status, rest[:min(len(rest), 20)])
	}
	return status, length, nil
}
