package seckill_test

import (
	"strings"
	"testing"

	"github.com/seckill-dev/seckill/internal/seckill"
)

func TestEndpointNames(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"shop": true, "7": true, "a-b-": true, strings.Repeat("a", 64): true,
		"": false, "-a": false, "A": false, "a_b": false, "a b": false, "a\n": false, "é": false, strings.Repeat("a", 65): false,
	} {
		if got := seckill.IsEndpointName(name); got != want {
			t.Errorf("%q: got %t", name, got)
		}
	}
}
