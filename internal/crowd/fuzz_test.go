package crowd_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/seckill-dev/seckill/internal/crowd"
)

// FuzzParseMix: a mix that is accepted has weights within their bounds, and is the same when it is written out in full.
func FuzzParseMix(f *testing.F) {
	for _, seed := range []string{"", "pay=60,abandon=15", "pay=0", "pay=1,pay=1", "pay", "pay=-1", "pay=1000001", "pay=1=2", "look=1", ",", "pay=1,", "again=+5", "late=007"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		mix, err := crowd.ParseMix(text)
		if err != nil {
			if mix != (crowd.Mix{}) {
				t.Fatalf("%q was refused, and became %+v", text, mix)
			}
			return
		}
		for _, weight := range []int{mix.Pay, mix.Abandon, mix.Cancel, mix.Late, mix.Twice, mix.Again} {
			if weight < 0 || weight > 1_000_000 {
				t.Fatalf("%q became %+v", text, mix)
			}
		}
		if (mix == crowd.Mix{}) != (text == "") || strings.Count(text, ",") > 5 {
			t.Fatalf("%q became %+v", text, mix)
		}
		if text == "" {
			return
		}
		full := fmt.Sprintf("pay=%d,abandon=%d,cancel=%d,late=%d,twice=%d,again=%d", mix.Pay, mix.Abandon, mix.Cancel, mix.Late, mix.Twice, mix.Again)
		if again, err := crowd.ParseMix(full); err != nil || again != mix {
			t.Fatalf("%q, written as %q, became %+v, %v", text, full, again, err)
		}
	})
}
