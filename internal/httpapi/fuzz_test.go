package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"testing"

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

// FuzzDecodeSale: the walk along nested structs never panics, names what it refuses, and agrees with encoding/json.
func FuzzDecodeSale(f *testing.F) {
	f.Add([]byte(`{"name":"x","starts_at":"2026-03-20T10:00:00Z","ends_at":"2026-03-20T11:00:00Z","pay_within_seconds":1,"items":[{"sku":"a","title":"b","price_minor":0,"currency":"EUR","allotment":1,"limit_per_user":1}]}`))
	f.Add([]byte(`{"items":[{"sku":[[[[1]]]]}]}`))
	f.Add([]byte(`{"items":[{},{"sku":null}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var got api.NewSale
		if err := decodeStrict(body, &got); err != nil {
			expectNamed(t, err)
			return
		}
		var want api.NewSale
		if err := json.Unmarshal(body, &want); err != nil {
			t.Fatalf("encoding/json refuses what was accepted: %v", err)
		}
		if !bytes.Equal(appendJSON(nil, got), appendJSON(nil, want)) {
			t.Fatalf("read %+v, encoding/json reads %+v", got, want)
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
