package httpapi

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"mime"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/api"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// expectNamed fails unless err is a refusal of a named field.
func expectNamed(t *testing.T, err error) {
	t.Helper()
	var refusal *seckill.Refusal
	if !errors.As(err, &refusal) || refusal.Reason != seckill.Invalid || refusal.Field == "" || len(refusal.Field) > 2*fieldMax {
		t.Fatalf("error is %v", err)
	}
}

// FuzzDecodeQuantity: what is accepted is in bounds and means the same to encoding/json; the short way and the long way
// agree; what is refused is refused by name.
func FuzzDecodeQuantity(f *testing.F) {
	for _, seed := range []string{
		`{"quantity":1}`, `{"quantity": 999}`, `{"quantity":1000}`, `{"quantity":0}`, `{"quantity":01}`, `{"quantity":1e3}`, `{"quantity":1.5}`,
		`{"quantity":9223372036854775808}`, `{"quantity":-1}`, `{"quantity":"1"}`, `{"quantity":null}`, `{"Quantity":1}`, `{"quantity":1,"quantity":2}`,
		`{"quantity":1} `, `{"quantity":1}{}`, `{"quantity":}`, `{"quantity": }`, `{}`, `null`, `[]`, ``, `{"\u0071uantity":1}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		quantity, err := decodeQuantity(body)
		if err != nil {
			expectNamed(t, err)
			return
		}
		if quantity < 1 || quantity > seckill.QuantityMax {
			t.Fatalf("quantity is %d", quantity)
		}
		var strictly api.ReserveRequest
		if err := decodeStrict(body, &strictly); err != nil || strictly.Quantity != quantity {
			t.Fatalf("%d the short way; %d, %v the long way", quantity, strictly.Quantity, err)
		}
		var usual api.ReserveRequest
		if err := json.Unmarshal(body, &usual); err != nil || usual.Quantity != quantity {
			t.Fatalf("%d here; %d, %v by encoding/json", quantity, usual.Quantity, err)
		}
	})
}

// bodies are what the API reads, each as an empty struct to decode into.
func bodies() []any {
	return []any{
		&api.NewSale{}, &api.SalePatch{}, &api.StockAdjustment{}, &api.Credentials{}, &api.ReserveRequest{}, &api.CancelOrder{},
		&api.RefundOrder{}, &api.DiscardLetter{}, &api.ReplayDeadEvents{}, &api.DiscardDeadEvents{},
	}
}

// FuzzDecodeBody: the walk along the structs never panics, names what it refuses, agrees with encoding/json, and reads again
// what it has read.
func FuzzDecodeBody(f *testing.F) {
	for n, seed := range []string{
		`{"name":"x","starts_at":"2026-03-20T10:00:00Z","ends_at":"2026-03-20T11:00:00Z","pay_within_seconds":1,"items":[{"sku":"a","title":"b","price_minor":0,"currency":"EUR","allotment":1,"limit_per_user":1}]}`,
		`{"name":"x","items":[{"id":"5","limit_per_user":2}]}`, `{"delta":-5,"op_id":"7"}`, `{"username":"ann","password":"p"}`, `{"quantity":1}`,
		`{"reason":"x"}`, `{"reason":"x"}`, `{"reason":""}`, `{"endpoint":"shop"}`, `{"reason":"x","endpoint":"shop"}`,
	} {
		f.Add(uint8(n), []byte(seed))
	}
	for _, seed := range []string{
		`{"items":[{"sku":[[[[1]]]]}]}`, `{"items":[{},{"sku":null}]}`, `{"name":"a","name":"b"}`, `{"Name":"a"}`, `{"":1}`, `null`, `[`,
		`{"starts_at":"2026-03-20T10:00:00,5Z"}`, `{"pay_within_seconds":9223372036854775808}`, `{"\ud800":1}`, "{\"name\":\"\xff\"}",
	} {
		f.Add(uint8(0), []byte(seed))
	}
	f.Fuzz(func(t *testing.T, which uint8, body []byte) {
		n := int(which) % len(bodies())
		got := bodies()[n]
		if err := decodeStrict(body, got); err != nil {
			expectNamed(t, err)
			return
		}
		want := bodies()[n]
		if err := json.Unmarshal(body, want); err != nil {
			t.Fatalf("encoding/json refuses what was accepted: %v", err)
		}
		written := appendJSON(nil, got)
		if !bytes.Equal(written, appendJSON(nil, want)) {
			t.Fatalf("read %+v, encoding/json reads %+v", got, want)
		}
		again := bodies()[n]
		if err := decodeStrict(written, again); err != nil || !bytes.Equal(appendJSON(nil, again), written) {
			t.Fatalf("%s, written again as %s, became %+v, %v", body, written, again, err)
		}
	})
}

// FuzzIdempotencyKey: a key that is accepted is what was sent, 8-128 visible characters.
func FuzzIdempotencyKey(f *testing.F) {
	for _, seed := range []string{"", "cart-42-x", "1234567", "with space", "ümlaut-key", "tab\tkey-1", "\x7f2345678"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, key string) {
		got, err := idempotencyKey([]string{key})
		if err != nil {
			expectNamed(t, err)
			return
		}
		if got != key || len(got) < keyMin || len(got) > keyMax {
			t.Fatalf("%q became %q", key, got)
		}
		for _, r := range got {
			if r <= ' ' || r > '~' {
				t.Fatalf("%q was accepted", got)
			}
		}
	})
}

// FuzzIfMatch: a version that is accepted is the number between the quotes; what is refused is refused by name.
func FuzzIfMatch(f *testing.F) {
	for _, seed := range []string{`"1"`, `W/"1"`, "*", "", `"`, `""`, `"01"`, `"-1"`, `"9223372036854775808"`, `"1","2"`, `"1`, `1"`, `"1" `} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, match string) {
		version, err := ifMatch([]string{match})
		if err != nil {
			expectNamed(t, err)
			return
		}
		if match == "*" && version == 0 {
			return
		}
		if version < 1 || strings.TrimPrefix(match, "W/") != strconv.Quote(strconv.FormatInt(version, 10)) {
			t.Fatalf("%q became %d", match, version)
		}
	})
}

// FuzzCursor: a cursor that is accepted is the one that its id gives.
func FuzzCursor(f *testing.F) {
	for _, seed := range []string{"MjA", "MjA=", "", "MA", "LTE", "MDE", "!", strings.Repeat("A", 300)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, cursor string) {
		id, err := readCursor(cursor)
		if err == nil && (id < 1 || cursorOf(id) != cursor) {
			t.Fatalf("%q became %d, which is %q", cursor, id, cursorOf(id))
		}
	})
}

// FuzzQuery: parameters that are accepted are what their one form says; what is refused is refused by name.
func FuzzQuery(f *testing.F) {
	for _, seed := range []string{
		"wait=10s&limit=5&cursor=MjA&state=live", "wait=30001ms", "wait=1.5s", "wait=010s", "wait=s", "wait=ms", "wait=65536s", "limit=+5", "limit=05",
		"limit=5&limit=5", "cursor=", "state=", "state=LIVE", "flag=TRUE", "flag=true", "%zz", "a;b", "wait=00500ms", "%77ait=1s",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		values, err := url.ParseQuery(raw)
		if err != nil {
			t.Skip("queryOf refuses it")
		}
		asked := query{values}
		expectWait(t, asked)
		expectPage(t, asked)
		if state, err := asked.orderState(); err != nil {
			expectNamed(t, err)
		} else if state != "" && string(state) != values.Get("state") {
			t.Fatalf("%q asks for the state %q", raw, state)
		}
		if flag, err := asked.flag("flag"); err != nil {
			expectNamed(t, err)
		} else if flag != (values.Get("flag") == "true") {
			t.Fatalf("%q says %t", raw, flag)
		}
	})
}

func expectWait(t *testing.T, asked query) {
	t.Helper()
	wait, err := asked.wait()
	if err != nil {
		expectNamed(t, err)
		return
	}
	parsed, err := time.ParseDuration(cmp.Or(asked.values.Get("wait"), "0s"))
	if err != nil || parsed != wait || wait < 0 || wait > waitMax {
		t.Fatalf("%v waits %v", asked.values, wait)
	}
}

func expectPage(t *testing.T, asked query) {
	t.Helper()
	page, err := asked.page()
	if err != nil {
		expectNamed(t, err)
		return
	}
	saysLimit := !asked.values.Has("limit") || asked.values.Get("limit") == strconv.Itoa(page.limit)
	saysCursor := !asked.values.Has("cursor") || asked.values.Get("cursor") == cursorOf(page.after)
	if page.limit < 1 || page.limit > limitMax || !saysLimit || !saysCursor {
		t.Fatalf("%v asks for %+v", asked.values, page)
	}
}

// FuzzContentType: what is taken for JSON is JSON to package mime, in no other characters than UTF-8.
func FuzzContentType(f *testing.F) {
	for _, seed := range []string{"application/json", "APPLICATION/JSON; charset=UTF-8", "application/json;", "application/json; charset=latin1", "text/json", "", "application/json, text/plain"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		if !isJSON([]string{value}) {
			return
		}
		media, parameters, err := mime.ParseMediaType(value)
		charset, given := parameters["charset"]
		if err != nil || media != "application/json" || given && !strings.EqualFold(charset, "utf-8") {
			t.Fatalf("%q is %q with %v, %v", value, media, parameters, err)
		}
	})
}

// FuzzAppend: the answers that are written by hand are those of encoding/json, whatever words of a client they quote.
func FuzzAppend(f *testing.F) {
	for _, seed := range texts() {
		f.Add(seed, "field", int64(0), true)
		f.Add("detail", seed, int64(-1<<63), false)
	}
	f.Fuzz(func(t *testing.T, text, other string, n int64, given bool) {
		problem := api.Problem{
			Type: other, Title: text, Status: int(int32(n)), Detail: text, Reason: api.Reason(other), Field: other, RequestID: text,
			ReservationID: other, RetryAfter: int(int32(n)), Links: api.ProblemLinks{Self: text},
		}
		if given {
			problem.Available = &n
		}
		expectSame(t, appendProblem(nil, problem), problem)
		receipt := api.Receipt{ID: text, ItemID: other, Quantity: n, Status: api.ReservationStatus(text), Reason: api.Reason(other), Links: api.Links{Self: other, Order: text}}
		expectSame(t, appendReceipt(nil, receipt), receipt)
	})
}
