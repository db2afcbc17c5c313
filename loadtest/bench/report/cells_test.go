package report_test

import (
	"os"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/loadtest/bench/report"
)

func TestCellsTakeTheValuesOfTheResults(t *testing.T) {
	t.Parallel()
	r := measured()
	r.Spend("accept", "redis-server 127.0.0.1:4711", 4.25)
	folder := t.TempDir()
	if err := r.Write(folder); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(only(t, folder, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	cells := report.Cells{}
	if err := cells.Read(text); err != nil {
		t.Fatal(err)
	}
	const page = `| ratio | <!--accept_vs_naive--> | >= 3 |
| side | <!--side:naive--> 17.3 old | x |
| redis | <!--spent:accept/redis-server--> | x |
| not measured | <!--accept_vs_gin--> as it was | x |
`
	const want = `| ratio | <!--accept_vs_naive--> 4.00 | >= 3 |
| side | <!--side:naive--> 20.0 | x |
| redis | <!--spent:accept/redis-server--> 4.25 | x |
| not measured | <!--accept_vs_gin--> as it was | x |
`
	got, count := cells.Fill(page)
	if got != want || count != 3 {
		t.Errorf("%d cells:\n%s", count, got)
	}
	if again, _ := cells.Fill(got); again != want {
		t.Errorf("a second time:\n%s", again)
	}
}

func TestPageAsksForFiguresThatThereAre(t *testing.T) {
	t.Parallel()
	cells := report.Cells{}
	r := report.New(append(report.Table(), report.Scale()...), false, time.Now())
	for _, f := range append(report.Table(), report.Scale()...) {
		r.SetValue(f.Name, 1)
	}
	folder := t.TempDir()
	if err := r.Write(folder); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(only(t, folder, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := cells.Read(text); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../../../docs/performance.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range report.Named(string(page)) {
		if _, there := cells[name]; !there {
			t.Errorf("docs/performance.md asks for %s, which is no figure", name)
		}
	}
	if len(report.Named(string(page))) < len(report.Table()) {
		t.Error("docs/performance.md asks for too little")
	}
}
