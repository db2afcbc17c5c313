package seckill_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

func TestReasonsIsTheClosedListOfTheContract(t *testing.T) {
	t.Parallel()
	want := []seckill.Reason{
		"not_found", "invalid", "unauthenticated", "forbidden", "not_started", "ended", "paused", "sold_out", "limit_reached",
		"idempotency_mismatch", "rate_limited", "busy", "unknown_outcome", "conflict",
	}
	if got := seckill.Reasons(); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestReasonsNamesEveryConstant(t *testing.T) {
	t.Parallel()
	listed := seckill.Reasons()
	for name, reason := range reasonConstants(t) {
		if reason == seckill.Duplicate {
			if slices.Contains(listed, reason) {
				t.Error("duplicate is listed, which no client may see")
			}
			continue
		}
		if !slices.Contains(listed, reason) {
			t.Errorf("%s (%s) is not listed", name, reason)
		}
	}
}

// reasonConstants reads the constants of type Reason from the source.
func reasonConstants(t *testing.T) map[string]seckill.Reason {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "reason.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	constants := map[string]seckill.Reason{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || fmt.Sprint(spec.Type) != "Reason" {
			return true
		}
		for i, name := range spec.Names {
			literal, ok := spec.Values[i].(*ast.BasicLit)
			if !ok {
				t.Fatalf("%s is not a literal", name)
			}
			text, err := strconv.Unquote(literal.Value)
			if err != nil {
				t.Fatal(err)
			}
			constants[name.Name] = seckill.Reason(text)
		}
		return true
	})
	if len(constants) < 15 {
		t.Fatalf("found only %v", constants)
	}
	return constants
}

func TestReasonOf(t *testing.T) {
	t.Parallel()
	refusal := seckill.Refuse(seckill.SoldOut, "nothing is left")
	for name, c := range map[string]struct {
		err  error
		want seckill.Reason
	}{
		"nothing":            {nil, ""},
		"a fault":            {errors.New("disk full"), ""},
		"a port's error":     {seckill.ErrUnavailable, ""},
		"a refusal":          {refusal, seckill.SoldOut},
		"a wrapped refusal":  {fmt.Errorf("buy: %w", fmt.Errorf("reserve: %w", refusal)), seckill.SoldOut},
		"a joined refusal":   {errors.Join(errors.New("disk full"), refusal), seckill.SoldOut},
		"the outermost wins": {fmt.Errorf("%w: %w", seckill.BusyFor(time.Second, "wait"), refusal), seckill.Busy},
		"only mentioned":     {fmt.Errorf("buy: %v", refusal), ""}, //nolint:errorlint // hides the refusal on purpose
	} {
		if got := seckill.ReasonOf(c.err); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestRefusal(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		refusal *seckill.Refusal
		want    seckill.Refusal
		text    string
	}{
		{seckill.Refuse(seckill.Ended, "it is over"), seckill.Refusal{Reason: seckill.Ended, Detail: "it is over"}, "ended: it is over"},
		{
			seckill.InvalidField("quantity", "must be 1 or more"),
			seckill.Refusal{Reason: seckill.Invalid, Field: "quantity", Detail: "must be 1 or more"},
			"invalid: quantity: must be 1 or more",
		},
		{
			seckill.BusyFor(time.Second, "one moment"),
			seckill.Refusal{Reason: seckill.Busy, RetryAfter: time.Second, Detail: "one moment"},
			"busy: one moment",
		},
	} {
		if fmt.Sprintf("%+v", *c.refusal) != fmt.Sprintf("%+v", c.want) || c.refusal.Error() != c.text {
			t.Errorf("got %+v, %q; want %+v, %q", *c.refusal, c.refusal, c.want, c.text)
		}
	}
}
