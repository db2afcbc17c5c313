package report_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/loadtest/bench/report"
)

// names are those that issue trackers, documents and other programs know.
func names() []string {
	return []string{
		"accept_vs_naive", "accept_vs_gin", "sustained_vs_naive", "sustained_orders_per_s", "refuse_vs_gin", "reserve_vs_single",
		"reserve_per_s", "settle_vs_insert", "accept_p99_ms", "queued_to_ordered_p99_ms", "redis_bytes_per_buyer", "cost_growth",
		"embedded_vs_naive",
	}
}

// written is bench.json as others read it.
type written struct {
	Failure string
	Figures map[string]struct {
		Value  *float64
		Target string
		OK     bool
	}
	Scale map[string]struct{ Value *float64 }
	Sides map[string]struct {
		Rounds           []float64
		Median, Min, Max float64
	}
	Versions map[string]string
}

func write(t *testing.T, r *report.Report) (found written, page string) {
	t.Helper()
	folder := t.TempDir()
	if err := r.Write(folder); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(only(t, folder, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &found); err != nil {
		t.Fatal(err)
	}
	html, err := os.ReadFile(only(t, folder, "*.html"))
	if err != nil {
		t.Fatal(err)
	}
	return found, string(html)
}

// only is the one file of a form.
func only(t *testing.T, folder, form string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, form))
	if err != nil || len(files) != 1 {
		t.Fatalf("%s: %v %v", form, files, err)
	}
	return files[0]
}

func TestReportHasEveryNameMeasuredOrNot(t *testing.T) {
	t.Parallel()
	r := report.New(report.Table(), false, time.Now())
	r.End(time.Now(), errors.New("the audit has found something"))
	found, page := write(t, r)
	if len(found.Figures) != len(names()) || found.Failure == "" {
		t.Errorf("%d figures, failure %q", len(found.Figures), found.Failure)
	}
	for _, name := range names() {
		figure, there := found.Figures[name]
		if !there || figure.Value != nil || figure.OK || figure.Target == "" || !strings.Contains(page, name) {
			t.Errorf("%s: %+v", name, figure)
		}
	}
}

// measured is a report of three rounds of two sides.
func measured() *report.Report {
	r := report.New(report.Table(), true, time.Now())
	for _, value := range []float64{10, 30, 20} {
		r.Add("naive", "answers/s", value)
		r.Add("accept", "answers/s", 4*value)
	}
	r.Add("p99", "ms", 60)
	r.Follow(report.Series{Side: "accept", Every: 0.1, Values: []float64{0, 50, 80}, Millis: map[string]float64{"p99": 3}})
	r.SetRatio("accept_vs_naive", "accept", "naive")
	r.SetRatio("accept_vs_gin", "accept", "gin")
	r.Set("accept_p99_ms", "p99")
	r.Version("go", "go1.26")
	r.End(time.Now(), nil)
	return r
}

func TestReportGivesMediansAndSpread(t *testing.T) {
	t.Parallel()
	found, _ := write(t, measured())
	if s := found.Sides["naive"]; s.Median != 20 || s.Min != 10 || s.Max != 30 || len(s.Rounds) != 3 {
		t.Errorf("naive: %+v", s)
	}
}

func TestReportJudgesFiguresByTheirTargets(t *testing.T) {
	t.Parallel()
	found, _ := write(t, measured())
	if f := found.Figures["accept_vs_naive"]; f.Value == nil || *f.Value != 4 || !f.OK {
		t.Errorf("accept_vs_naive: %+v", f)
	}
	if f := found.Figures["accept_vs_gin"]; f.Value != nil {
		t.Errorf("a ratio to what was not measured: %+v", f)
	}
	if f := found.Figures["accept_p99_ms"]; f.Value == nil || f.OK {
		t.Errorf("60 ms are more than 50: %+v", f)
	}
}

func TestReportPageNeedsNothingElse(t *testing.T) {
	t.Parallel()
	_, page := write(t, measured())
	for _, foreign := range []string{"<script", "<link", "http://", "https://"} {
		if strings.Contains(page, foreign) {
			t.Errorf("it has %s", foreign)
		}
	}
}
