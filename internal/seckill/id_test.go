package seckill_test

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/seckill-dev/seckill/internal/seckill"
)

func TestID(t *testing.T) {
	t.Parallel()
	begin := time.Date(2025, 1, 1, 0, 0, 0, 1e6, time.UTC)
	end := time.Date(2094, 1, 1, 0, 0, 0, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		milli := rapid.Int64Range(begin.UnixMilli(), end.UnixMilli()).Draw(t, "milli")
		bucket := rapid.IntRange(0, seckill.Buckets-1).Draw(t, "bucket")
		node := rapid.IntRange(0, seckill.NodesMax-1).Draw(t, "node")
		sequence := rapid.IntRange(0, seckill.SequencesMax-1).Draw(t, "sequence")
		id := seckill.ComposeID(milli, bucket, node, sequence)
		if id <= 0 || id.Bucket() != bucket || id.Time().UnixMilli() != milli {
			t.Fatalf("%d has bucket %d and time %v", id, id.Bucket(), id.Time())
		}
		if next := seckill.ComposeID(milli+1, 0, 0, 0); next <= id {
			t.Fatalf("%d, a millisecond later, is not above %d", next, id)
		}
		if parsed, err := seckill.ParseID(id.String()); err != nil || parsed != id {
			t.Fatalf("parsed %d, %v from %s", parsed, err, id)
		}
	})
}

func TestIDsAreNeverTheSame(t *testing.T) {
	t.Parallel()
	const milli = 1_800_000_000_000
	known := map[seckill.ID]bool{}
	for _, bucket := range []int{0, 1, seckill.Buckets - 1} {
		for node := range seckill.NodesMax {
			for sequence := range seckill.SequencesMax {
				known[seckill.ComposeID(milli, bucket, node, sequence)] = true
			}
		}
	}
	if want := 3 * seckill.NodesMax * seckill.SequencesMax; len(known) != want {
		t.Errorf("%d ids of %d are different", len(known), want)
	}
}

func TestIDsAreStringsInJSON(t *testing.T) {
	t.Parallel()
	type row struct {
		ID   seckill.ID            `json:"id"`
		Keys map[seckill.ID]string `json:"keys"`
	}
	const text = `{"id":"9223372036854775807","keys":{"9007199254740993":"above 2^53"}}`
	var r row
	if err := json.Unmarshal([]byte(text), &r); err != nil || r.ID != math.MaxInt64 || r.Keys[1<<53+1] == "" {
		t.Fatalf("read %+v, %v", r, err)
	}
	if written, err := json.Marshal(r); err != nil || string(written) != text {
		t.Errorf("wrote %s, %v", written, err)
	}
	for _, wrong := range []string{`{"id":1}`, `{"id":""}`, `{"id":"0"}`, `{"id":"-1"}`, `{"id":"1e3"}`} {
		if err := json.Unmarshal([]byte(wrong), &r); err == nil {
			t.Errorf("read %s as %d", wrong, r.ID)
		}
	}
}

func TestParseIDRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "0", "-1", "+1", "01", " 1", "1 ", "1.5", "1e3", "0x1", "1_000", "９", "a", "1a",
		"9223372036854775808", "10000000000000000000", "99999999999999999999", strings.Repeat("1", 100),
	} {
		if id, err := seckill.ParseID(text); !errors.Is(err, seckill.ErrBadID) || id != 0 {
			t.Errorf("%q: got %d, %v", text, id, err)
		}
	}
}

func TestUserIDValidate(t *testing.T) {
	t.Parallel()
	longest := seckill.UserID(strings.Repeat("u", 64))
	for _, good := range []seckill.UserID{"a", "Z", "0", "ann_b.c:d@e-f", "_", "-", longest} {
		if err := good.Validate(); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []seckill.UserID{
		"", longest + "u", "a b", "a,b", "a;b", `a"b`, `a\b`, "a{b}", "a/b", "a\nb", "a\x00b", "é", "用户", "a+b", "a%b",
	} {
		if err := bad.Validate(); err == nil {
			t.Errorf("%q passes", bad)
		}
	}
}

func TestUserIDBucketNeverChanges(t *testing.T) {
	t.Parallel()
	// Rows were routed by these: FNV-1a 64 modulo 1024. Another value would lose orders.
	for user, want := range map[seckill.UserID]int{"": 805, "a": 140, "ann": 184, "u-1": 578} {
		if got := user.Bucket(); got != want {
			t.Errorf("%q is in bucket %d, want %d", user, got, want)
		}
	}
}

func TestKeyHash(t *testing.T) {
	t.Parallel()
	if got := seckill.KeyHash("", 42); got != "42" {
		t.Errorf("no key: %q, want the id", got)
	}
	// 22 characters of base64url SHA-256, without padding.
	if got, want := seckill.KeyHash("abc", 42), "ungWv48Bz-pBQUDeXa4iI7"; got != want {
		t.Errorf("key abc: %q, want %q", got, want)
	}
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.StringN(1, 128, -1).Draw(t, "key")
		one := seckill.KeyHash(key, 1)
		if len(one) != 22 || one != seckill.KeyHash(key, 2) || one == seckill.KeyHash(key+"x", 1) {
			t.Fatalf("key %q: %q", key, one)
		}
		if strings.ContainsAny(one, `,;" \{}+/=`) {
			t.Fatalf("key %q: %q holds a separator", key, one)
		}
	})
}
