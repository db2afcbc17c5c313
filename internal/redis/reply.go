package redis

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

var errShortReply = errors.New("reply is too short")

// reply reads a script's flat array from front to back. The first mistake sticks and is asked for at the end.
type reply struct {
	values []any
	err    error
}

func newReply(value any) (*reply, error) {
	values, ok := value.([]any)
	if !ok {
		return nil, fmt.Errorf("reply is a %T, not an array", value)
	}
	return &reply{values: values}, nil
}

func (r *reply) more() bool { return r.err == nil && len(r.values) > 0 }

func (r *reply) next() any {
	if r.err == nil && len(r.values) == 0 {
		r.err = errShortReply
	}
	if r.err != nil {
		return nil
	}
	value := r.values[0]
	r.values = r.values[1:]
	return value
}

func (r *reply) text() string {
	switch value := r.next().(type) {
	case string:
		return value
	case int64:
		return strconv.FormatInt(value, 10)
	default:
		r.fail(value)
		return ""
	}
}

// number reads an integer; an empty text counts as 0, which is what scripts say for "none".
func (r *reply) number() int64 {
	switch value := r.next().(type) {
	case int64:
		return value
	case string:
		if value == "" {
			return 0
		}
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			r.fail(value)
		}
		return n
	default:
		r.fail(value)
		return 0
	}
}

// count reads how many of something follow. What could not all be there is a mistake, not a loop without end.
func (r *reply) count() int64 {
	n := r.number()
	if n < 0 || n > int64(len(r.values)) {
		r.fail(n)
		return 0
	}
	return n
}

func (r *reply) fail(value any) {
	if r.err == nil {
		r.err = fmt.Errorf("reply has %v (%T) in the wrong place", value, value)
	}
}

func (r *reply) id() seckill.ID    { return seckill.ID(r.number()) }
func (r *reply) bytes() []byte     { return []byte(r.text()) }
func (r *reply) flag() bool        { return r.number() == 1 }
func (r *reply) micros() time.Time { return time.UnixMicro(r.number()).UTC() }
func (r *reply) millis() time.Time { return time.UnixMilli(r.number()).UTC() }
func (r *reply) done(doing string) error {
	if r.err == nil && len(r.values) > 0 {
		r.err = fmt.Errorf("reply has %d values too many", len(r.values))
	}
	if r.err != nil {
		return fmt.Errorf("%s: %w", doing, r.err)
	}
	return nil
}
