package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/seckill-dev/seckill/api"
)

func TestChangesOf(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ before, after, want string }{
		"shows what was and what is":       {`{"state":"live"}`, `{"state":"ended"}`, `state: live -> ended`},
		"leaves out what stays":            {`{"pool":5,"state":"open"}`, `{"pool":7,"state":"open"}`, `pool: 5 -> 7`},
		"shows what nobody had before":     {`{}`, `{"op_id":"more","delta":50}`, `delta: 50, op_id: more`},
		"shows changes before the rest":    {`{"pool":5}`, `{"op_id":"more","pool":7}`, `pool: 5 -> 7, op_id: more`},
		"leaves out what is not so":        {``, `{"repeated":false,"restock":true}`, `restock: true`},
		"quotes what is more than a word":  {``, `{"reason":"ann called"}`, `reason: "ann called"`},
		"quotes what would break the line": {``, `{"reason":"a\tb"}`, `reason: "a\tb"`},
		"shows moments as other tables":    {`{"ends_at":"2026-03-20T10:00:00Z"}`, `{"ends_at":"2026-03-20T11:00:00.5Z"}`, `ends_at: 2026-03-20 10:00:00Z -> 2026-03-20 11:00:00Z`},
		"names items that are made":        {``, `{"items":[{"sku":"MUG","limit_per_user":2},{"sku":"CUP"}]}`, `items: CUP MUG`},
		"shows the fields of an item that changed": {
			`{"items":[{"sku":"MUG","limit_per_user":2,"title":"mug"},{"sku":"CUP","limit_per_user":1}]}`,
			`{"items":[{"sku":"CUP","limit_per_user":1},{"sku":"MUG","limit_per_user":3,"title":"mug"}]}`, `MUG.limit_per_user: 2 -> 3`,
		},
		"writes prices as people do": {
			`{"items":[{"sku":"MUG","price_minor":1290,"currency":"EUR"}]}`,
			`{"items":[{"sku":"MUG","price_minor":1390,"currency":"JPY"}]}`, `MUG.price: 12.90 EUR -> 1390 JPY`,
		},
		"names items that come and go": {
			`{"items":[{"sku":"MUG"}]}`, `{"items":[{"sku":"CUP"}]}`, `items: CUP added, items: MUG removed`,
		},
		"goes into what items are made of": {
			`{"items":[{"sku":"MUG","currency":"EUR","refunded_minor":0,"orders":{"paid":{"count":2}}}]}`,
			`{"items":[{"sku":"MUG","currency":"EUR","refunded_minor":150,"orders":{"paid":{"count":1},"refunded":{"count":1}}}]}`,
			`MUG.orders.paid.count: 2 -> 1, MUG.orders.refunded: null -> {"count":1}, MUG.refunded: 0.00 EUR -> 1.50 EUR`,
		},
		"shows what is gone":         {`{"name":"Friday","state":"draft"}`, ``, `was name: Friday, state: draft`},
		"says nothing about nothing": {``, ``, ``},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			act := api.Act{Before: fieldsOf(t, c.before), After: fieldsOf(t, c.after)}
			if got := inLine(changesOf(act)); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func fieldsOf(t *testing.T, text string) (fields map[string]any) {
	t.Helper()
	if text == "" {
		return nil
	}
	if err := json.Unmarshal([]byte(text), &fields); err != nil {
		t.Fatal(err)
	}
	return fields
}

func TestInLine(t *testing.T) {
	t.Parallel()
	t.Run("counts the changes that do not fit", func(t *testing.T) {
		t.Parallel()
		long := strings.Repeat("x", loggedMax-10)
		if got := inLine([]string{long, "short", "another one"}); got != long+", short, and 1 more" {
			t.Errorf("got %s", got)
		}
	})
	t.Run("cuts one that is too long alone, between characters", func(t *testing.T) {
		t.Parallel()
		if got := inLine([]string{strings.Repeat("ä", loggedMax+1)}); got != strings.Repeat("ä", loggedMax)+"…" {
			t.Errorf("got %s", got)
		}
	})
}
