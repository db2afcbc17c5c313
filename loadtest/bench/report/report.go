package report

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"
	"time"
)

// Report is one bench.
type Report struct {
	quick    bool
	began    time.Time
	took     time.Duration
	failure  string
	figures  []Figure
	sides    []*Side
	series   []Series
	spent    []*Spent
	machine  map[string]string
	versions map[string]string
	settings map[string]string
}

// Side is what was measured of one contender, round by round.
type Side struct {
	Name   string    `json:"-"`
	Unit   string    `json:"unit"`
	Rounds []float64 `json:"rounds"`
}

// Series is answers per second over time, of one run.
type Series struct {
	Side   string             `json:"side"`
	Every  float64            `json:"every_seconds"`
	Values []float64          `json:"answers_per_second"`
	Millis map[string]float64 `json:"latency_ms"`
}

// Spent is the processor time of one program for one answer of a side, or for one order, round by round.
type Spent struct {
	Side    string    `json:"side"`
	Program string    `json:"program"`
	Rounds  []float64 `json:"micros"`
}

// Median is that of the rounds, in microseconds.
func (s *Spent) Median() float64 { return median(s.Rounds) }

// New begins a report of these figures.
func New(figures []Figure, quick bool, now time.Time) *Report {
	return &Report{
		quick: quick, began: now, figures: slices.Clone(figures),
		machine: map[string]string{}, versions: map[string]string{}, settings: map[string]string{},
	}
}

// Wants says whether any of these figures is to be measured.
func (r *Report) Wants(names ...string) bool {
	return slices.ContainsFunc(r.figures, func(f Figure) bool { return slices.Contains(names, f.Name) })
}

// Machine notes where it was measured.
func (r *Report) Machine(name, value string) { r.machine[name] = value }

// Version notes what was measured.
func (r *Report) Version(name, value string) { r.versions[name] = value }

// Setting notes how it was set.
func (r *Report) Setting(name, value string) { r.settings[name] = value }

// Add notes one round of a side.
func (r *Report) Add(side, unit string, value float64) {
	s := r.side(side)
	if s == nil {
		s = &Side{Name: side, Unit: unit}
		r.sides = append(r.sides, s)
	}
	s.Rounds = append(s.Rounds, value)
}

// Follow notes how a run went over time, instead of an earlier one of that side.
func (r *Report) Follow(series Series) {
	r.series = slices.DeleteFunc(r.series, func(s Series) bool { return s.Side == series.Side })
	r.series = append(r.series, series)
}

// Spend notes one round's processor time of a program per answer of a side.
func (r *Report) Spend(side, program string, micros float64) {
	i := slices.IndexFunc(r.spent, func(s *Spent) bool { return s.Side == side && s.Program == program })
	if i < 0 {
		i = len(r.spent)
		r.spent = append(r.spent, &Spent{Side: side, Program: program})
	}
	r.spent[i].Rounds = append(r.spent[i].Rounds, micros)
}

// SpentOn is the median of what a program has used for each answer of a side, in microseconds, 0 if that is not known.
func (r *Report) SpentOn(side, program string) float64 {
	for _, s := range r.spent {
		if s.Side == side && s.Program == program {
			return s.Median()
		}
	}
	return 0
}

// dear are the programs that cost something worth showing, by side as they were measured, dearest first.
func (r *Report) dear() []*Spent {
	const least = 0.1 // microseconds
	shown := slices.DeleteFunc(slices.Clone(r.spent), func(s *Spent) bool { return s.Median() < least })
	order := map[string]int{}
	for i, s := range r.spent {
		if _, seen := order[s.Side]; !seen {
			order[s.Side] = i
		}
	}
	slices.SortStableFunc(shown, func(a, b *Spent) int {
		return cmp.Or(cmp.Compare(order[a.Side], order[b.Side]), cmp.Compare(b.Median(), a.Median()))
	})
	return shown
}

func (r *Report) side(name string) *Side {
	for _, s := range r.sides {
		if s.Name == name {
			return s
		}
	}
	return nil
}

// Median is the median of a side, 0 if it has no rounds.
func (r *Report) Median(side string) float64 {
	s := r.side(side)
	if s == nil {
		return 0
	}
	return s.Median()
}

// Median is that of the rounds.
func (s *Side) Median() float64 { return median(s.Rounds) }

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// Set gives a figure its value: the median of a side.
func (r *Report) Set(figure, side string) { r.set(figure, r.Median(side)) }

// SetRatio gives a figure its value: the ratio of the medians of two sides.
func (r *Report) SetRatio(figure, side, to string) {
	if below := r.Median(to); below > 0 {
		r.set(figure, r.Median(side)/below)
	}
}

// SetValue gives a figure a value that is computed elsewhere.
func (r *Report) SetValue(figure string, value float64) { r.set(figure, value) }

func (r *Report) set(name string, value float64) {
	for i := range r.figures {
		if r.figures[i].Name == name && value > 0 {
			r.figures[i].Value = &value
		}
	}
}

// End notes the end, and what made it come early.
func (r *Report) End(now time.Time, failure error) {
	r.took = now.Sub(r.began)
	if failure != nil {
		r.failure = failure.Error()
	}
}

// Print writes the table.
func (r *Report) Print(out io.Writer) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "\nside\tmedian\tspread\tunit")
	for _, s := range r.sides {
		fmt.Fprintf(table, "%s\t%.1f\t%.1f .. %.1f\t%s\n", s.Name, s.Median(), slices.Min(s.Rounds), slices.Max(s.Rounds), s.Unit)
	}
	if dear := r.dear(); len(dear) > 0 {
		fmt.Fprintln(table, "\nside\tprogram\tµs of processor time per answer")
		for _, s := range dear {
			fmt.Fprintf(table, "%s\t%s\t%.1f\n", s.Side, s.Program, s.Median())
		}
	}
	r.printFigures(table)
	return table.Flush()
}

func (r *Report) printFigures(table io.Writer) {
	aimed, scale := split(r.figures)
	if len(aimed) > 0 {
		fmt.Fprintln(table, "\nname\tvalue\ttarget\tok")
	}
	for _, f := range aimed {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", f.Name, f.Shown(), f.Aim(), verdict(f))
	}
	if len(scale) > 0 {
		fmt.Fprintln(table, "\nscale\tvalue\tunit")
	}
	for _, f := range scale {
		fmt.Fprintf(table, "%s\t%s\t%s\n", f.Name, f.Shown(), f.Unit)
	}
}

func verdict(f Figure) string {
	switch {
	case f.Value == nil:
		return "not measured"
	case f.OK():
		return "yes"
	default:
		return "no"
	}
}

// Write writes bench.json and bench.html into a folder; of a run to the limits they are scale.json and scale.html.
func (r *Report) Write(folder string) error {
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return fmt.Errorf("write the results: %w", err)
	}
	text, err := json.MarshalIndent(r.wire(), "", "  ")
	if err != nil {
		return fmt.Errorf("write the results: %w", err)
	}
	var page bytes.Buffer
	if err := r.writePage(&page); err != nil {
		return fmt.Errorf("write the results: %w", err)
	}
	for name, content := range map[string][]byte{r.file() + ".json": append(text, '\n'), r.file() + ".html": page.Bytes()} {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o600); err != nil {
			return fmt.Errorf("write the results: %w", err)
		}
	}
	return nil
}

// wire is what the JSON holds.
func (r *Report) wire() any {
	type figure struct {
		Figure

		Target string `json:"target"`
		OK     bool   `json:"ok"`
	}
	type side struct {
		Side

		Median float64 `json:"median"`
		Min    float64 `json:"min"`
		Max    float64 `json:"max"`
	}
	aimed, unaimed := split(r.figures)
	figures, scale := make(map[string]figure, len(aimed)), make(map[string]Figure, len(unaimed))
	for _, f := range aimed {
		figures[f.Name] = figure{f, f.Aim(), f.OK()}
	}
	for _, f := range unaimed {
		scale[f.Name] = f
	}
	sides := make(map[string]side, len(r.sides))
	for _, s := range r.sides {
		sides[s.Name] = side{*s, s.Median(), slices.Min(s.Rounds), slices.Max(s.Rounds)}
	}
	return map[string]any{
		"quick": r.quick, "began": r.began.UTC().Format(time.RFC3339), "took_seconds": r.took.Seconds(), "failure": r.failure,
		"figures": figures, "scale": scale, "sides": sides, "series": r.series, "processor_time": r.dear(),
		"machine": r.machine, "versions": r.versions, "settings": r.settings,
	}
}
