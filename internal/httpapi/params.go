package httpapi

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	waitMax      = 30 * time.Second
	limitDefault = 20
	limitMax     = 100
	cursorMax    = 200

	matchHeader = "If-Match"

	keyHeader = "Idempotency-Key"
	keyMin    = 8
	keyMax    = 128
)

// pathID reads an id from the path.
func pathID(c *gin.Context, name string) (seckill.ID, error) {
	id, err := seckill.ParseID(c.Param(name))
	if err != nil {
		return 0, seckill.InvalidField(name, err.Error())
	}
	return id, nil
}

// idempotencyKey reads the Idempotency-Key; "" when there is none.
func idempotencyKey(values []string) (string, error) {
	switch {
	case len(values) == 0:
		return "", nil
	case len(values) > 1:
		return "", seckill.InvalidField(keyHeader, "the key is there twice")
	case len(values[0]) < keyMin || len(values[0]) > keyMax:
		return "", seckill.InvalidField(keyHeader, fmt.Sprintf("a key has %d-%d characters", keyMin, keyMax))
	case !visible(values[0]):
		return "", seckill.InvalidField(keyHeader, "a key consists of visible ASCII")
	default:
		return values[0], nil
	}
}

// ifMatch reads the version that an order or a sale must have; 0 asks for none. The weak form is taken too: proxies that compress an
// answer weaken its ETag, and a client gives back what it got.
func ifMatch(values []string) (int64, error) {
	switch {
	case len(values) == 0 || len(values) == 1 && values[0] == "*":
		return 0, nil
	case len(values) > 1:
		return 0, seckill.InvalidField(matchHeader, matchHeader+" is there twice")
	}
	digits, closed := strings.CutSuffix(strings.TrimPrefix(values[0], "W/"), `"`)
	digits, opened := strings.CutPrefix(digits, `"`)
	version, err := strconv.ParseInt(digits, 10, 64)
	if !opened || !closed || err != nil || version < 1 || digits != strconv.FormatInt(version, 10) {
		return 0, seckill.InvalidField(matchHeader, matchHeader+` is the ETag of an answer, such as "1"`)
	}
	return version, nil
}

func visible(text string) bool {
	for i := range len(text) {
		if text[i] < '!' || text[i] > '~' {
			return false
		}
	}
	return true
}

// query holds the parameters behind the question mark.
type query struct{ values url.Values }

func queryOf(c *gin.Context) (query, error) {
	values, err := url.ParseQuery(c.Request.URL.RawQuery)
	if err != nil {
		return query{}, seckill.InvalidField("query", "the query cannot be read")
	}
	return query{values}, nil
}

// one returns a parameter that may be there once.
func (q query) one(name string) (value string, given bool, err error) {
	values := q.values[name]
	if len(values) > 1 {
		return "", false, seckill.InvalidField(name, name+" is there twice")
	}
	if len(values) == 0 {
		return "", false, nil
	}
	return values[0], true, nil
}

// wait is how long an answer may be held back: 0s-30s or 0ms-30000ms.
func (q query) wait() (time.Duration, error) {
	text, given, err := q.one("wait")
	if err != nil || !given {
		return 0, err
	}
	unit, digits := time.Second, strings.TrimSuffix(text, "s")
	if number, isMillis := strings.CutSuffix(text, "ms"); isMillis {
		unit, digits = time.Millisecond, number
	}
	n, err := strconv.ParseUint(digits, 10, 16)
	wait := time.Duration(n) * unit
	if err != nil || !strings.HasSuffix(text, "s") || wait > waitMax || len(digits) > 5 || unit == time.Second && digits != strconv.FormatUint(n, 10) {
		return 0, seckill.InvalidField("wait", "wait is in whole seconds or milliseconds, such as 10s or 500ms, at most 30s")
	}
	return wait, nil
}

// page is which part of a list is asked for. After is the last id of the page before.
type page struct {
	after seckill.ID
	limit int
}

func (q query) page() (page, error) {
	limit, err := q.limit()
	if err != nil {
		return page{}, err
	}
	cursor, given, err := q.one("cursor")
	if err != nil {
		return page{}, err
	}
	if !given {
		return page{limit: limit}, nil
	}
	after, err := readCursor(cursor)
	if err != nil {
		return page{}, seckill.InvalidField("cursor", "this is not the next of a page before")
	}
	return page{after: after, limit: limit}, nil
}

func (q query) limit() (int, error) {
	text, given, err := q.one("limit")
	if err != nil || !given {
		return limitDefault, err
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > limitMax || text != strconv.Itoa(n) {
		return 0, seckill.InvalidField("limit", fmt.Sprintf("limit is from 1 to %d", limitMax))
	}
	return n, nil
}

// state reads a sale state out of those allowed; "" when none is asked for.
func (q query) state(allowed []seckill.SaleState) (seckill.SaleState, error) {
	return word(q, "state", allowed)
}

// orderState reads any state of an order; "" when none is asked for.
func (q query) orderState() (seckill.OrderState, error) {
	return word(q, "state", seckill.OrderStates())
}

func word[W ~string](q query, name string, allowed []W) (W, error) {
	text, given, err := q.one(name)
	if err != nil || !given {
		return "", err
	}
	if !slices.Contains(allowed, W(text)) {
		return "", seckill.InvalidField(name, fmt.Sprintf("%s is one of %v", name, allowed))
	}
	return W(text), nil
}

func (q query) flag(name string) (bool, error) {
	text, given, err := q.one(name)
	switch {
	case err != nil:
		return false, err
	case !given || text == "false":
		return false, nil
	case text == "true":
		return true, nil
	default:
		return false, seckill.InvalidField(name, name+" is true or false")
	}
}

// A cursor is the last id of its page in base64url, so that nobody is tempted to compute with it.
func cursorOf(last seckill.ID) string {
	return base64.RawURLEncoding.EncodeToString([]byte(last.String()))
}

func readCursor(cursor string) (seckill.ID, error) {
	if len(cursor) > cursorMax {
		return 0, seckill.ErrBadID
	}
	text, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || strings.ContainsAny(cursor, "\r\n") { // which base64 passes over
		return 0, seckill.ErrBadID
	}
	return seckill.ParseID(string(text))
}

// cut is the page of a list that is there as a whole, and its cursor; ids tell where each element stands, in the list's
// own order.
func cut[T any](all []T, asked page, idOf func(T) seckill.ID, before func(a, b seckill.ID) bool) (part []T, next string) {
	start := 0
	for asked.after > 0 && start < len(all) && !before(asked.after, idOf(all[start])) {
		start++
	}
	part = all[start:min(start+asked.limit, len(all))]
	if start+len(part) < len(all) {
		next = cursorOf(idOf(part[len(part)-1]))
	}
	return part, next
}
