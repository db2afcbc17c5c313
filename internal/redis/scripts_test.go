package redis_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestEveryScriptBeginsWithItsSignature(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("lua/*.lua")
	fatal(t, err)
	if len(files) < 2 {
		t.Fatalf("found %v", files)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".lua")
		if name == "prelude" {
			continue
		}
		text, err := os.ReadFile(file)
		fatal(t, err)
		header, _, _ := strings.Cut(string(text), "\nlocal ")
		for _, part := range []string{"-- " + name + ": ", "\n-- KEYS ", "\n-- ARGV ", "\n-- Returns ", "\n-- Promises "} {
			if !strings.Contains("\n"+header, part) {
				t.Errorf("%s: the header lacks %q", file, strings.TrimSpace(part))
			}
		}
	}
}

// A cluster serves all keys of an item from one node only if they share the hash tag.
func TestEveryKeyOfAnItemSharesItsHashTag(t *testing.T) {
	t.Parallel()
	e := embedded(t)
	n := node{lent: e.Lent}
	n.sell(t)
	_, err := e.Lent.Due(t.Context(), item, everything())
	fatal(t, err)
	fatal(t, e.Lent.Sent(t.Context(), item, nil))
	found, err := raw(t, e.Options()).Keys(t.Context(), "*").Result()
	fatal(t, err)
	if len(found) != 6 { // no unsettled yet
		t.Errorf("keys %v", found)
	}
	for _, key := range found {
		if !strings.HasPrefix(key, "seckill:{"+item.String()+"}:") {
			t.Errorf("key %s", key)
		}
	}
}
