package report_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/loadtest/bench/report"
)

// grown are names that docs/performance.md knows.
func grown() []string {
	return []string{
		"accept_per_s_at_64", "accept_api_us_at_512", "accept_closed_p99_ms_at_4096", "api_mib_at_4096", "api_kib_per_connection",
		"items_us_at_1", "items_us_at_1000", "spread_us_at_1000", "buyers_us_at_1000", "buyers_us_at_1000000",
		"redis_bytes_at_10000", "redis_bytes_at_1000000", "full_orders", "fill_s", "full_gb", "settle_empty_per_s", "settle_full_per_s",
		"settle_empty_mariadbd_us", "settle_full_mariadbd_us", "full_get_order_p99_ms", "full_list_orders_p99_ms",
	}
}

func TestReportOfARunToTheLimitsHasItsOwnNames(t *testing.T) {
	t.Parallel()
	r := report.New(report.Scale(), false, time.Now())
	r.Add("accept_per_s_at_64", "answers/s", 40_000)
	r.Spend("accept_per_s_at_64", "api", 12.3)
	r.Set("accept_per_s_at_64", "accept_per_s_at_64")
	r.SetValue("accept_api_us_at_64", r.SpentOn("accept_per_s_at_64", "api"))
	r.End(time.Now(), nil)
	found, page := write(t, r)
	if len(found.Figures) != 0 {
		t.Errorf("figures with targets: %v", found.Figures)
	}
	for _, name := range grown() {
		if _, there := found.Scale[name]; !there || !strings.Contains(page, name) {
			t.Errorf("there is no %s", name)
		}
	}
	if v := found.Scale["accept_per_s_at_64"].Value; v == nil || *v != 40_000 {
		t.Errorf("accept_per_s_at_64: %v", v)
	}
	if v := found.Scale["accept_api_us_at_64"].Value; v == nil || *v != 12.3 {
		t.Errorf("accept_api_us_at_64: %v", v)
	}
}

func TestReportOfARunToTheLimitsLeavesTheOtherAlone(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for _, table := range [][]report.Figure{report.Table(), report.Scale()} {
		r := report.New(table, false, time.Now())
		r.End(time.Now(), nil)
		if err := r.Write(folder); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{"bench.json", "bench.html", "scale.json", "scale.html"} {
		if _, err := os.Stat(filepath.Join(folder, file)); err != nil {
			t.Error(err)
		}
	}
}

func TestFigureIsShownWithThreeDigits(t *testing.T) {
	t.Parallel()
	for value, want := range map[float64]string{0.123: "0.12", 1.5: "1.50", 23.44: "23.4", 999.6: "1000", 43_210.9: "43211"} {
		if got := (report.Figure{Value: &value}).Shown(); got != want {
			t.Errorf("%v is shown as %s, want %s", value, got, want)
		}
	}
}
