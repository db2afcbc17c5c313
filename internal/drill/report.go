package drill

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/seckill-dev/seckill/internal/crowd"
)

// Report is one drill.
type Report struct {
	Verdict

	Seed     uint64
	Pairs    bool
	Embedded bool
	// Chosen says that only some faults were wanted.
	Chosen bool
	Began  time.Time
	// Lasts is for how long faults were played, Took the whole drill.
	Lasts, Took time.Duration
	// Kills counts kill -9 by what was killed.
	Kills map[string]int
	// Folder holds the ledger and the report.
	Folder string

	drills     []Report // of several
	turns      []turn
	seconds    []int64
	recoveries []recovery
}

// The files of a drill.
const (
	ledgerName = "ledger.jsonl"
	pageName   = "report.html"
	systemName = "system"
)

// report gathers everything, prints it, and writes the page.
func (d *drill) report(v Verdict, turns []turn) Report {
	seconds, _ := d.ledger.throughput()
	return Report{
		Verdict: v, Seed: d.config.Seed, Pairs: d.config.Pairs, Embedded: d.config.Embedded, Chosen: len(d.config.Faults) > 0, Began: d.began,
		Lasts: d.played.Round(time.Second), Took: time.Since(d.began), Kills: d.nemesis.killed(), Folder: d.config.Dir,
		turns: turns, seconds: seconds, recoveries: recoveries(turns),
	}
}

// Killed is how many were killed in all.
func (r Report) Killed() int {
	sum := 0
	for _, n := range r.Kills {
		sum += n
	}
	return sum
}

// shownMax is how many findings of a kind are printed; the page has more.
const shownMax = 10

// Print writes the verdict for people.
func (r Report) Print(out io.Writer) error {
	fmt.Fprintln(out)
	if err := printRows(out, r.rows()); err != nil {
		return err
	}
	if err := r.printRecoveries(out); err != nil {
		return err
	}
	for _, note := range r.Notes {
		fmt.Fprintln(out, "note:", note)
	}
	shown := crowd.FirstOfEach(r.Findings, shownMax, func(f Finding) string { return f.Kind })
	for _, f := range shown {
		fmt.Fprintln(out, "  "+f.String())
	}
	if len(shown) < len(r.Findings) {
		fmt.Fprintln(out, "  ...")
	}
	_, err := fmt.Fprintf(out, "%s%s\n%s\n", r.goalsLine(), recoveryLine(r.recoveries), r.line())
	return err
}

func printRows(out io.Writer, rows []row) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintf(table, "%s\t%s\n", row.name, row.text)
	}
	return table.Flush()
}

func (r Report) printRecoveries(out io.Writer) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "\nrecovery\tfaults\tmedian\tworst\tbar\t")
	for _, rec := range r.recoveries {
		printRecovery(table, "", rec)
		for _, kind := range rec.kinds {
			printRecovery(table, "  ", kind)
		}
	}
	fmt.Fprintln(table)
	return table.Flush()
}

func printRecovery(table io.Writer, indent string, rec recovery) {
	fmt.Fprintf(table, "%s%s\t%d\t%s\t%s\t%s\t%s\n", indent, rec.name, rec.count, shortly(rec.median), shortly(rec.worst), rec.most(), rec.verdict())
}

type row struct{ name, text string }

func (r Report) rows() []row {
	c := r.Counts
	return append(r.drillRows(), []row{
		{"shoppers", fmt.Sprintf("%d, %d of them compared all their orders", r.Shoppers, r.Compared)},
		{"queued answers", fmt.Sprintf("%d, %.0f each second", c.Answers, float64(c.Answers)/max(r.Lasts.Seconds(), 1))},
		{"reservations promised", fmt.Sprint(c.Promised)},
		{"  that became orders", fmt.Sprint(c.Ordered)},
		{"  that stand for another of the same key", fmt.Sprint(c.Twins)},
		{"  rejected, where that is allowed", fmt.Sprint(c.Rejected)},
		{"orders", fmt.Sprintf("%d, %d of them told to nobody: the answer was lost", c.Orders, c.Untold)},
		{"orders paid", r.paid()},
		{"audited", fmt.Sprintf("%d items, %d claims, %d orders", r.Audit.Checked.Items, r.Audit.Checked.Claims, r.Audit.Checked.Orders)},
		{"faults", r.faults()},
		{"kill -9", r.kills()},
	}...)
}

func (r Report) paid() string {
	if r.Hurried {
		return fmt.Sprintf("%d, not compared with the provider", r.Counts.Paid)
	}
	return fmt.Sprintf("%d, with %d charges at the provider and %d refunds", r.Counts.Paid, r.Counts.Charges, r.Counts.Refunds)
}

// faults counts those that broke something, and names those that did not.
func (r Report) faults() string {
	kinds := make(map[string]bool)
	var idle []string
	for _, t := range r.turns {
		if t.isIdle() {
			idle = append(idle, t.kind())
			continue
		}
		kinds[t.kind()] = true
	}
	text := fmt.Sprintf("%d, different ones %d", len(r.turns)-len(idle), len(kinds))
	if len(idle) > 0 {
		text += fmt.Sprintf("; %d more had no effect: %s", len(idle), strings.Join(idle, ", "))
	}
	return text
}

// struck is how many faults broke something.
func (r Report) struck() int {
	n := 0
	for _, t := range r.turns {
		if !t.isIdle() {
			n++
		}
	}
	return n
}

func (r Report) kills() string {
	var kinds []string
	for _, kind := range slices.Sorted(maps.Keys(r.Kills)) {
		kinds = append(kinds, fmt.Sprintf("%d %s", r.Kills[kind], kind))
	}
	return strings.TrimSuffix(fmt.Sprintf("%d: %s", r.Killed(), strings.Join(kinds, ", ")), ": ")
}

// line is the verdict in one.
func (r Report) line() string {
	if r.Hurried {
		return fmt.Sprintf("It was interrupted before everything was at rest: %d reservations were under way, and the money was not compared. %s",
			r.Counts.Pending, r.outcome())
	}
	if r.Interrupted {
		return "It was interrupted: its crowds were sent home and not compared. " + r.outcome()
	}
	return r.outcome()
}

func (r Report) outcome() string {
	if r.Clean() && r.Hurried {
		return fmt.Sprintf("So far no promise was broken: %d of %d reservations are orders after %d faults.",
			r.Counts.Ordered+r.Counts.Twins, r.Counts.Promised, r.struck())
	}
	if r.Clean() {
		return fmt.Sprintf("Every promise was kept: %d of %d reservations are orders after %d faults, nothing was lost, oversold or doubled, and the money adds up.",
			r.Counts.Ordered+r.Counts.Twins, r.Counts.Promised, r.struck())
	}
	text := "Promises were BROKEN:"
	for i, kind := range slices.Sorted(maps.Keys(r.Found)) {
		if i > 0 {
			text += ","
		}
		text += fmt.Sprintf(" %d %s", r.Found[kind], kind)
	}
	return text + "."
}

// Write writes the page into the drill's folder and returns where it is.
func (r Report) Write() (string, error) {
	var text bytes.Buffer
	if err := r.writePage(&text); err != nil {
		return "", fmt.Errorf("write the report: %w", err)
	}
	path := filepath.Join(r.Folder, pageName)
	if err := os.WriteFile(path, text.Bytes(), 0o600); err != nil {
		return "", fmt.Errorf("write the report: %w", err)
	}
	return path, nil
}

// System is the folder of the servers and nodes, their logs among it.
func (r Report) System() string { return filepath.Join(r.Folder, systemName) }
