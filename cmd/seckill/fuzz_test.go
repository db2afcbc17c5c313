package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/seckill-dev/seckill/api"
)

// documentsOf are what files are read into, empty.
func documentsOf() []any { return []any{&api.NewSale{}, &api.SalePatch{}} }

// FuzzDocument: a file that describes a sale is refused in one line, or taken, and then its JSON says the same.
func FuzzDocument(f *testing.F) {
	for _, seed := range []string{
		"name: Friday\nstarts_at: +30s\nends_at: 2026-03-20T11:00:00Z\npay_within_seconds: 900\nitems:\n- {sku: MUG-1, title: Mug, price_minor: 1290, currency: EUR, allotment: 10, limit_per_user: 2}",
		`{"name":"Friday","starts_at":"2026-03-20T10:00:00Z"}`, "starts_at: 2026-03-20", "starts_at: 2026-03-20T10:00:00Z", "items: [{price_minor: 49.99}]", "- a", "", "a", "name: [1]",
		"1: 2", "? [a]\n: b", "name: &a x\nsku: *a", "name: !!binary AA==", "pay_within_seconds: .inf", "pay_within_seconds: 0x10", "name: \"\\xff\"", "items: {1: 2}", "NAME: x", "name: a\nname: b",
		"starts_at: 9999-12-31T23:59:59-01:00", "starts_at: +2562047h", "<<: {name: x}", "name: x\n---\nname: y",
	} {
		f.Add(uint8(0), []byte(seed))
		f.Add(uint8(1), []byte(seed))
	}
	now := time.Date(2026, 3, 20, 9, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, which uint8, content []byte) {
		n := int(which) % len(documentsOf())
		got := documentsOf()[n]
		if err := decodeDocument(content, now, got); err != nil {
			if strings.Contains(err.Error(), "\n") || err.Error() == "" {
				t.Fatalf("more than one line: %q", err)
			}
			return
		}
		text, err := json.Marshal(got)
		if err != nil {
			t.Fatalf("%q became %+v, which cannot be sent: %v", content, got, err)
		}
		again := documentsOf()[n]
		if string(text) != "{}" {
			if err := decodeDocument(text, now, again); err != nil {
				t.Fatalf("%q became %s, which is refused: %v", content, text, err)
			}
		}
		if diff := cmp.Diff(got, again); diff != "" {
			t.Fatalf("%q became %s\n%s", content, text, diff)
		}
	})
}

// FuzzMoment: a moment is one that RFC 3339 names, or as far from now as a duration says, in both directions.
func FuzzMoment(f *testing.F) {
	for _, seed := range []string{"+30s", "-1h", "+-1s", "30s", "2026-03-20T10:00:00Z", "2026-03-20T10:00:00,5Z", "2026-03-20", "", "+", "+2562047h47m16.854775807s", "-2562047h47m16.854775808s"} {
		f.Add(seed)
	}
	now := time.Date(2026, 3, 20, 9, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text string) {
		at, err := readTime(text, now)
		if err != nil {
			if !at.IsZero() || strings.Contains(err.Error(), "\n") {
				t.Fatalf("%q became %v, %q", text, at, err)
			}
			return
		}
		if strings.ContainsAny(text[:1], "+-") {
			if ahead, err := time.ParseDuration(text); err != nil || at.Sub(now)-ahead > time.Millisecond || ahead-at.Sub(now) > time.Millisecond {
				t.Fatalf("%q is %v, %v from now", text, at, at.Sub(now))
			}
			return
		}
		if want, err := time.Parse(time.RFC3339, text); err != nil || !want.Equal(at) {
			t.Fatalf("%q became %v", text, at)
		}
	})
}

// FuzzChanges: whatever an act kept, it is shown in a bounded line, and what did not change is not shown.
func FuzzChanges(f *testing.F) {
	f.Add(`{"name":"a","items":[{"sku":"x","price_minor":1,"currency":"EUR"}]}`, `{"name":"b","items":[{"sku":"x","price_minor":2,"currency":"EUR"},{"sku":"y"}]}`)
	f.Add(`{"items":[{"sku":"x"},{"sku":"x"}]}`, `{"items":null}`)
	f.Add(`{"a":{"b_minor":1e300,"currency":"EUR"}}`, `{"a":{"b_minor":-1e300,"currency":"EUR"}}`)
	f.Add(`{"a":1}`, `{}`)
	f.Add(`{}`, `{"at":"2026-03-20T10:00:00Z","no":false,"list":[[],{}]}`)
	f.Fuzz(func(t *testing.T, before, after string) {
		var act api.Act
		if json.Unmarshal([]byte(before), &act.Before) != nil || json.Unmarshal([]byte(after), &act.After) != nil {
			t.Skip("no act keeps that")
		}
		line := inLine(changesOf(act))
		if length := utf8.RuneCountInString(line); length > loggedMax+len("…, and 1000000 more") {
			t.Fatalf("%d characters: %s", length, line)
		}
		if act.Before = act.After; len(act.After) > 0 {
			if same := changesOf(act); len(same) > 0 {
				t.Fatalf("%s, unchanged, is shown as %q", after, same)
			}
		}
		if act.Before, act.After = map[string]any{"key": before}, map[string]any{"key": after}; before != after && !slices.ContainsFunc(changesOf(act), func(change string) bool { return strings.HasPrefix(change, "key: ") }) {
			if plain(before) != plain(after) {
				t.Fatalf("%q to %q is shown as %q", before, after, changesOf(act))
			}
		}
	})
}
