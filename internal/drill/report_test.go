package drill_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seckill-dev/seckill/internal/drill"
)

func TestReportSaysWhatWasBroken(t *testing.T) {
	t.Parallel()
	wants(t, drill.Sample(t.TempDir()),
		"Promises were BROKEN: 1 never recovered.", "Recovery was TOO SLOW: the broker is back: 9.0 s of 5.0 s.", "kill rabbitmq at ", "MISSED",
		"too few to judge", "kill -9", "5: 5 rabbitmq", "6, different ones 2; 1 more had no effect: slow down redis")
}

func TestReportHidesNoKindBehindAnother(t *testing.T) {
	t.Parallel()
	report := drill.Sample(t.TempDir())
	for range 1000 {
		report.Findings = append(report.Findings, drill.Finding{Kind: "unanswered", Detail: "one of many"})
	}
	report.Findings = append(report.Findings, drill.Finding{Kind: "stalled", Detail: "the only one"})
	wants(t, report, "unanswered: one of many", "...", "stalled: the only one")
}

func TestReportIsOnePageThatNeedsNothingElse(t *testing.T) {
	t.Parallel()
	path, err := drill.Sample(t.TempDir()).Write()
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, foreign := range []string{"<script", "<link", "http://", "https://"} {
		if strings.Contains(string(page), foreign) {
			t.Errorf("it has %s", foreign)
		}
	}
	for _, wanted := range []string{"<polyline points=", "wipe redis", "kill rabbitmq", "never recovered", "seed 7", "9 keys lost", "it had no effect"} {
		if !strings.Contains(string(page), wanted) {
			t.Errorf("it lacks %s", wanted)
		}
	}
}

func TestReportSaysWhatProvesTooLittle(t *testing.T) {
	t.Parallel()
	const tooLittle = "It proves TOO LITTLE: not enough faults that broke something."
	wants(t, drill.Idle(t.TempDir(), 2), tooLittle)
	if drill.Idle(t.TempDir(), 2).OK() || !drill.Idle(t.TempDir(), 1).OK() {
		t.Error("half of the faults have to break something")
	}
	early := drill.Played(t.TempDir(), 1, 0)
	early.Interrupted = true
	wants(t, early, "It was interrupted: its crowds were sent home and not compared. Every promise was kept")
}

func TestReportSaysThatNobodyWaited(t *testing.T) {
	t.Parallel()
	hurried := drill.Played(t.TempDir(), 1, 0)
	hurried.Hurried, hurried.Interrupted = true, true
	hurried.Counts.Pending, hurried.Counts.Promised, hurried.Counts.Ordered = 3, 9, 6
	const says = "It was interrupted before everything was at rest: 3 reservations were under way, and the money was not compared. " +
		"So far no promise was broken: 6 of 9 reservations are orders after 1 faults."
	wants(t, hurried, says, "not compared with the provider")
	sum := drill.Sum(t.TempDir(), []drill.Report{drill.Played(t.TempDir(), 1, 0), hurried})
	wants(t, sum, says[:80])
	if hurried.OK() || sum.OK() {
		t.Error("it is ok, and nobody knows")
	}
	hurried.Found["doubled"]++
	wants(t, hurried, "not compared. Promises were BROKEN: 1 doubled.")
}

func TestSum(t *testing.T) {
	t.Parallel()
	t.Run("says that enough was tried", func(t *testing.T) {
		t.Parallel()
		folder := t.TempDir()
		one := drill.Played(filepath.Join(folder, "seed-7"), 200_000, 40)
		sum := drill.Sum(folder, []drill.Report{one, one})
		wants(t, sum, "2, 2h0m0s of faults in all", "400000, of at least 400000", "840, of at least 600", "80, of at least 80", "Every promise was kept")
		if !sum.OK() {
			t.Error("it is not ok")
		}
		path, err := sum.Write()
		if err != nil {
			t.Fatal(err)
		}
		if page, err := os.ReadFile(path); err != nil || !strings.Contains(string(page), `href="seed-7/report.html"`) {
			t.Errorf("the page leads nowhere: %v", err)
		}
	})
	t.Run("says that too little was tried", func(t *testing.T) {
		t.Parallel()
		sum := drill.Sum(t.TempDir(), []drill.Report{drill.Played(t.TempDir(), 200_000, 40), drill.Played(t.TempDir(), 199_999, 39)})
		wants(t, sum, "399999, which is TOO FEW: at least 400000",
			"It proves TOO LITTLE: not enough queued answers, kill -9 of redis, kill -9 of rabbitmq, kill -9 of mariadb.")
		if sum.OK() || !sum.Clean() {
			t.Error("it is ok, or not clean")
		}
	})
	t.Run("keeps what was broken", func(t *testing.T) {
		t.Parallel()
		sum := drill.Sum(t.TempDir(), []drill.Report{drill.Played(t.TempDir(), 200_000, 40), drill.Sample(t.TempDir())})
		wants(t, sum, "never recovered: seed 7: kill rabbitmq at ", "Promises were BROKEN: 1 never recovered.")
	})
}

func wants(t *testing.T, report drill.Report, texts ...string) {
	t.Helper()
	var out bytes.Buffer
	if err := report.Print(&out); err != nil {
		t.Fatal(err)
	}
	for _, wanted := range texts {
		if !strings.Contains(out.String(), wanted) {
			t.Errorf("does not say %q:\n%s", wanted, out.String())
		}
	}
}

func TestLogIsQuoted(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "server.log")
	if err := os.WriteFile(path, []byte("disk full, long ago\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	before, after, err := drill.Says(path, "fine\n  disk full, now\n", "disk full")
	if err != nil || before != "" || after != `its log says "disk full, now"` {
		t.Errorf("said %q, then %q, %v", before, after, err)
	}
}

func TestLedgerHasOnlyWholeLines(t *testing.T) {
	t.Parallel()
	const text = `{"answer":"queued","reservation":"1"}` + "\n" + `{"answer":"refused"}` + "\n"
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	if err := drill.Crowd(path, text+`{"answer":"que`, 7); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != text {
		t.Errorf("it has %q, %v", got, err)
	}
	if err := drill.Crowd(path, text, 7); err == nil {
		t.Error("another drill writes into the same ledger")
	}
}

func TestRedisStartsAgainAfterItsDiskWasFull(t *testing.T) {
	t.Parallel()
	left, skip, err := drill.FullRedis(t.Context(), t.TempDir())
	if skip != "" {
		t.Skip(skip)
	}
	if err != nil || left != "kept" {
		t.Errorf("what it was told after that is %q, %v", left, err)
	}
}

func TestDisk(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "disk")
	skip, err := drill.Disk(folder)
	if skip != "" {
		t.Skip(skip)
	}
	if err != nil {
		t.Error(err)
	}
	mounts, err := os.ReadFile("/proc/mounts")
	if err != nil || strings.Contains(string(mounts), folder) {
		t.Errorf("it is mounted still: %v", err)
	}
}
