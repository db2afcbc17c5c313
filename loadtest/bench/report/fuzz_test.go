package report_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/seckill-dev/seckill/loadtest/bench/report"
)

// FuzzCells: results are read whole or refused; a page keeps its lines, its cells and all else that it says, and is the same
// when it is filled again.
func FuzzCells(f *testing.F) {
	const results = `{"figures":{"accept_vs_naive":{"value":4},"x":{"value":null}},"scale":{"items":{"value":0.5}},"sides":{"naive":{"median":20000}},"processor_time":[{"side":"accept","program":"redis-server :1","micros":[4.25,3]}]}`
	const page = "| ratio | <!--accept_vs_naive--> 3.9 | >= 3 |\n| side | <!--side:naive--> | x |\n| not measured | <!--y--> as it was |\n"
	f.Add([]byte(results), page)
	f.Add([]byte(`{"figures":{"a":{"value":1e308}},"sides":{"$1":{"median":-1}}}`), "<!--a--><!--a-->\n<!--side:$1-->")
	f.Add([]byte(`{"figures":[]}`), "<!---->")
	f.Add([]byte(`{"processor_time":[{}]}`), "<!--spent:/--> \xff|")
	f.Add([]byte(`null`), "")
	f.Fuzz(func(t *testing.T, results []byte, page string) {
		cells := report.Cells{}
		if err := cells.Read(results); err != nil {
			if len(cells) > 0 || strings.Contains(err.Error(), "\n") {
				t.Fatalf("%q was refused, and left %v: %v", results, cells, err)
			}
			return
		}
		filled, count := cells.Fill(page)
		again, countAgain := cells.Fill(filled)
		if again != filled || countAgain != count || count > strings.Count(page, "<!--") {
			t.Fatalf("%q became %q with %d cells, then %q with %d", page, filled, count, again, countAgain)
		}
		if strings.Count(filled, "\n") != strings.Count(page, "\n") || strings.Count(filled, "|") != strings.Count(page, "|") || !slices.Equal(report.Named(filled), report.Named(page)) {
			t.Fatalf("%q became %q", page, filled)
		}
		if len(cells) == 0 && filled != page {
			t.Fatalf("%q became %q of nothing", page, filled)
		}
		for name := range maps.Keys(cells) {
			if strings.ContainsAny(cells[name], "|\n<") {
				t.Fatalf("%q is measured as %q", name, cells[name])
			}
		}
	})
}
