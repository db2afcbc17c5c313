package seckill_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/seckill-dev/seckill/internal/seckill"
)

func TestMessageSurvivesTheQueue(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := drawMessage(t)
		body := m.Encode()
		if !json.Valid(body) {
			t.Fatalf("%s is not JSON", body)
		}
		decoded, err := seckill.DecodeMessage(body)
		if err != nil || !reflect.DeepEqual(decoded, m) {
			t.Fatalf("%s became %+v, %v", body, decoded, err)
		}
	})
}

func drawMessage(t *rapid.T) seckill.Message {
	positive := rapid.Int64Min(1)
	id := rapid.Map(positive, func(n int64) seckill.ID { return seckill.ID(n) })
	reserved := rapid.Custom(func(t *rapid.T) seckill.Reserved {
		r := seckill.Reserved{
			ID:       id.Draw(t, "id"),
			User:     seckill.UserID(rapid.StringMatching(`[A-Za-z0-9_.:@-]{1,64}`).Draw(t, "user")),
			Quantity: rapid.Int64Range(1, seckill.QuantityMax).Draw(t, "quantity"),
		}
		r.KeyHash = seckill.KeyHash(rapid.StringN(0, 8, -1).Draw(t, "key"), r.ID)
		return r
	})
	return seckill.Message{
		Batch: id.Draw(t, "batch"), Item: id.Draw(t, "item"), Epoch: positive.Draw(t, "epoch"),
		At: rapid.Int64().Draw(t, "at"), Sold: positive.Draw(t, "sold"),
		Reservations: rapid.SliceOfN(reserved, 1, 8).Draw(t, "reservations"),
	}
}

// wireForm is what reserve.lua writes.
const wireForm = `{"v":1,"batch":"11","item":"22","epoch":3,"at":1700000000000,"sold":4,"reservations":[["55","ann",1,"55"],["66","bob",2,"h"]]}`

func TestMessageHasTheFormOfTheScript(t *testing.T) {
	t.Parallel()
	m := seckill.Message{
		Batch: 11, Item: 22, Epoch: 3, At: 1700000000000, Sold: 4,
		Reservations: []seckill.Reserved{{ID: 55, User: "ann", Quantity: 1, KeyHash: "55"}, {ID: 66, User: "bob", Quantity: 2, KeyHash: "h"}},
	}
	if got := string(m.Encode()); got != wireForm {
		t.Errorf("got  %s\nwant %s", got, wireForm)
	}
}

func BenchmarkDecodeMessage(b *testing.B) {
	body := []byte(strings.Replace(wireForm, `["55","ann",1,"55"]`, strings.Repeat(`["55","ann",1,"55"],`, 99)+`["55","ann",1,"55"]`, 1))
	for b.Loop() {
		if _, err := seckill.DecodeMessage(body); err != nil {
			b.Fatal(err)
		}
	}
}

func TestDecodeMessageRefuses(t *testing.T) {
	t.Parallel()
	wantRefused(t, map[string]edit{
		"what is not JSON":           {wireForm, "\x00\xff{"},
		"nothing":                    {wireForm, ""},
		"null":                       {wireForm, "null"},
		"an array":                   {wireForm, "[]"},
		"half a message":             {`["66","bob",2,"h"]]}`, ""},
		"bytes after the message":    {`"h"]]}`, `"h"]]} x`},
		"no version":                 {`"v":1,`, ""},
		"another version":            {`"v":1`, `"v":2`},
		"no batch":                   {`"batch":"11",`, ""},
		"batch 0":                    {`"11"`, `"0"`},
		"a batch that is a number":   {`"11"`, `11`},
		"no item":                    {`"item":"22",`, ""},
		"a negative item":            {`"22"`, `"-22"`},
		"no epoch":                   {`"epoch":3,`, ""},
		"epoch 0":                    {`"epoch":3`, `"epoch":0`},
		"a fraction of an epoch":     {`"epoch":3`, `"epoch":3.5`},
		"nothing sold":               {`"sold":4`, `"sold":0`},
		"sold beyond 63 bits":        {`"sold":4`, `"sold":9223372036854775808`},
		"no reservations":            {`[["55","ann",1,"55"],["66","bob",2,"h"]]`, `[]`},
		"reservations null":          {`[["55","ann",1,"55"],["66","bob",2,"h"]]`, `null`},
		"a reservation null":         {`["66","bob",2,"h"]`, `null`},
		"a reservation as an object": {`["66","bob",2,"h"]`, `{"id":"66"}`},
		"an empty reservation":       {`["66","bob",2,"h"]`, `[]`},
		"three fields":               {`["66","bob",2,"h"]`, `["66","bob",2]`},
		"five fields":                {`["66","bob",2,"h"]`, `["66","bob",2,"h",0]`},
	})
}

func TestDecodeMessageRefusesAReservation(t *testing.T) {
	t.Parallel()
	wantRefused(t, map[string]edit{
		"an id of 0":                  {`"66"`, `"0"`},
		"an id that is a number":      {`"66"`, `66`},
		"an id null":                  {`"66"`, `null`},
		"no user":                     {`"bob"`, `""`},
		"a user null":                 {`"bob"`, `null`},
		"a user with a separator":     {`"bob"`, `"b;b"`},
		"a user that is too long":     {`"bob"`, `"` + strings.Repeat("b", 65) + `"`},
		"quantity 0":                  {`"bob",2`, `"bob",0`},
		"a negative quantity":         {`"bob",2`, `"bob",-1`},
		"a quantity above the most":   {`"bob",2`, `"bob",1001`},
		"a quantity that is a string": {`"bob",2`, `"bob","2"`},
		"a fraction of a quantity":    {`"bob",2`, `"bob",1.5`},
		"a quantity null":             {`"bob",2`, `"bob",null`},
		"no key hash":                 {`"h"`, `""`},
		"a key hash null":             {`"h"`, `null`},
		"a key hash that is too long": {`"h"`, `"` + strings.Repeat("h", 23) + `"`},
		"a key hash with a quote":     {`"h"`, `"\""`},
		"a key hash with a separator": {`"h"`, `"h,1;2"`},
	})
}

// edit makes one mistake in wireForm.
type edit struct{ old, mistake string }

func wantRefused(t *testing.T, edits map[string]edit) {
	t.Helper()
	if _, err := seckill.DecodeMessage([]byte(wireForm)); err != nil {
		t.Fatalf("refuses what the table starts from: %v", err)
	}
	for name, e := range edits {
		if !strings.Contains(wireForm, e.old) {
			t.Fatalf("%s: %s is not in the message", name, e.old)
		}
		body := strings.Replace(wireForm, e.old, e.mistake, 1)
		if m, err := seckill.DecodeMessage([]byte(body)); err == nil {
			t.Errorf("%s: %s became %+v", name, body, m)
		}
	}
}

func FuzzDecodeMessage(f *testing.F) {
	f.Add([]byte(wireForm))
	f.Add([]byte(`{"v":1,"batch":"1","item":"1","epoch":1,"at":0,"sold":1,"reservations":[["1","a",1000,"1"]]}`))
	f.Add([]byte(`{"v":1,"batch":"1","item":"1","epoch":1,"sold":1,"reservations":[null]}`))
	f.Add([]byte(strings.Replace(wireForm, `"h"`, `"\""`, 1)))
	f.Add([]byte("\x00\xff{"))
	f.Fuzz(func(t *testing.T, body []byte) {
		m, err := seckill.DecodeMessage(body)
		if err != nil {
			return
		}
		for _, r := range m.Reservations {
			if r.ID <= 0 || r.Quantity < 1 || r.Quantity > seckill.QuantityMax || r.KeyHash == "" || r.User.Validate() != nil {
				t.Fatalf("let %+v pass", r)
			}
		}
		var indented bytes.Buffer
		if err := json.Indent(&indented, body, "", " "); err != nil {
			t.Fatalf("%s is not JSON: %v", body, err)
		}
		if same, err := seckill.DecodeMessage(indented.Bytes()); err != nil || !reflect.DeepEqual(same, m) {
			t.Fatalf("%s, indented, became %+v, %v", body, same, err)
		}
		again, err := seckill.DecodeMessage(m.Encode())
		if err != nil || !reflect.DeepEqual(again, m) {
			t.Fatalf("%s, written again as %s, became %+v, %v", bytes.TrimSpace(body), m.Encode(), again, err)
		}
	})
}
