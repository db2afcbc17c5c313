package server

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
)

// Bounds of a reply: what is asked for here is read by people.
const (
	replyMax    = 1 << 20 // bytes of one text
	elementsMax = 1 << 20 // of one array
	depthMax    = 8       // arrays in arrays
)

// Ask sends one command to a Redis over a connection of its own and returns the text of its reply. The few commands
// that are needed here are no reason to let the client library out of internal/redis.
func Ask(ctx context.Context, addr string, command ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	reply, err := exchange(ctx, addr, command)
	if err != nil {
		return "", fmt.Errorf("redis at %s, %s: %w", addr, command[0], err)
	}
	return reply, nil
}

func exchange(ctx context.Context, addr string, command []string) (string, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return "", err
		}
	}
	if _, err := io.WriteString(conn, encode(command)); err != nil {
		return "", err
	}
	return decode(bufio.NewReader(conn), depthMax)
}

// encode writes a command as RESP wants it: an array of bulk strings.
func encode(command []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(command))
	for _, word := range command {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(word), word)
	}
	return b.String()
}

// decode reads one reply; an array comes back as its elements on lines of their own, arrays in it to that depth.
func decode(r *bufio.Reader, depth int) (string, error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return "", err
	}
	kind, rest := line[0], strings.TrimSpace(line[1:])
	switch kind {
	case '+', ':':
		return rest, nil
	case '-':
		return "", errors.New(rest)
	}
	size, err := strconv.Atoi(rest)
	switch {
	case err != nil:
		return "", fmt.Errorf("read a reply that begins %.80q: %w", line, err)
	case kind == '$' && size <= replyMax:
		return decodeBulk(r, size)
	case kind == '*' && size <= elementsMax && depth > 0:
		return decodeArray(r, size, depth-1)
	default:
		return "", fmt.Errorf("a reply begins %.80q", line)
	}
}

func decodeArray(r *bufio.Reader, size, depth int) (string, error) {
	var elements []string
	for range size {
		element, err := decode(r, depth)
		if err != nil {
			return "", err
		}
		elements = append(elements, element)
	}
	return strings.Join(elements, "\n"), nil
}

func decodeBulk(r *bufio.Reader, size int) (string, error) {
	if size < 0 {
		return "", nil // no such key
	}
	text := make([]byte, size+len("\r\n"))
	if _, err := io.ReadFull(r, text); err != nil {
		return "", err
	}
	return string(text[:size]), nil
}
