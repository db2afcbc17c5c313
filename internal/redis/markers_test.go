package redis_test

import (
	"strings"
	"testing"
)

func TestMarkers(t *testing.T) {
	t.Parallel()
	t.Run("peers: no double order: nothing but the gate expires while an item is sold", func(t *testing.T) {
		t.Parallel()
		n := startNode(t)
		n.sell(t)
		keys, err := n.raw.Keys(t.Context(), "*").Result()
		fatal(t, err)
		for _, key := range keys {
			left, err := n.raw.TTL(t.Context(), key).Result()
			fatal(t, err)
			if expires := left > 0; expires != strings.HasSuffix(key, "gate") {
				t.Errorf("%s has %v left", key, left)
			}
		}
		if len(keys) < 5 {
			t.Errorf("there are only %v", keys)
		}
	})
}
