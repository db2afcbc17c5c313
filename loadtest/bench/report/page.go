package report

import (
	"cmp"
	"fmt"
	"html/template"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	_ "embed"
)

//go:embed page.html
var pageText string

// Sizes of the charts, in the units of their view boxes.
const (
	chartWidth  = 720.0
	chartHeight = 220.0
	chartLeft   = 60.0
	chartBottom = 24.0
	barHeight   = 26.0
	barLeft     = 210.0
	colours     = 10 // of lines, in page.html
)

// page is what page.html shows.
type page struct {
	Title, When, Failure string
	Figures, Scale       []Figure
	Sides                []*Side
	Spent                []*Spent
	Ratios               []bar
	RatiosHeight         float64
	Over                 chart
	Latency              []latencies
	Conditions           []condition
}

// bar is one figure as a share of its target; the target is at a third of the width.
type bar struct {
	Name, Text           string
	Y, Width, TextX, Aim float64
	OK                   bool
}

type chart struct {
	Lines  []line
	Ticks  []tick
	Height float64
}

type line struct {
	Name   string
	Colour int
	Points string
}

type tick struct {
	Y    float64
	Text string
}

// latencies are the percentiles of one run, as bars on a logarithmic scale.
type latencies struct {
	Side string
	Bars []bar
}

type condition struct{ Name, Value string }

// writePage writes one page that needs nothing else.
func (r *Report) writePage(out io.Writer) error {
	t, err := template.New("page").Funcs(template.FuncMap{
		"least":   func(s *Side) float64 { return slices.Min(s.Rounds) },
		"most":    func(s *Side) float64 { return slices.Max(s.Rounds) },
		"verdict": verdict,
		"rounded": func(f float64) string { return fmt.Sprintf("%.1f", f) },
	}).Parse(pageText)
	if err != nil {
		return err
	}
	return t.Execute(out, r.page())
}

func (r *Report) page() page {
	aimed, scale := split(r.figures)
	p := page{
		Title:   "seckill " + r.file(),
		When:    fmt.Sprintf("%s, took %s", r.began.UTC().Format(time.RFC1123), r.took.Round(time.Second)),
		Failure: r.failure, Figures: aimed, Scale: scale, Sides: r.sides, Spent: r.dear(), Ratios: ratios(aimed), Over: overTime(r.series),
	}
	p.RatiosHeight = float64(len(p.Ratios)) * barHeight
	if r.quick {
		p.Title += ", a quick look"
	}
	for _, s := range r.series {
		p.Latency = append(p.Latency, percentiles(s))
	}
	for _, some := range []map[string]string{r.machine, r.versions, r.settings} {
		for _, name := range slices.Sorted(maps.Keys(some)) {
			p.Conditions = append(p.Conditions, condition{name, some[name]})
		}
	}
	return p
}

// ratios are the figures against their targets: longer is better, also where less is.
func ratios(figures []Figure) []bar {
	const most = 3 // times the target
	var bars []bar
	room := chartWidth - barLeft - chartLeft
	for _, f := range figures {
		if f.Value == nil {
			continue
		}
		share := *f.Value / f.Target
		if f.AtMost {
			share = 1 / share
		}
		width := min(share, most) / most * room
		bars = append(bars, bar{
			Name: f.Name, Text: f.Shown() + " (" + f.Aim() + ")", Y: float64(len(bars)) * barHeight,
			Width: width, TextX: barLeft + 6, Aim: barLeft + room/most, OK: f.OK(),
		})
	}
	return bars
}

// overTime draws answers per second of every run.
func overTime(all []Series) chart {
	c := chart{Height: chartHeight + chartBottom}
	var top, longest float64
	for _, s := range all {
		if len(s.Values) > 0 {
			top, longest = max(top, slices.Max(s.Values)), max(longest, float64(len(s.Values))*s.Every)
		}
	}
	if top == 0 {
		return c
	}
	step := math.Pow(10, math.Floor(math.Log10(top)))
	for value := 0.0; value <= top; value += step {
		c.Ticks = append(c.Ticks, tick{chartHeight * (1 - value/top), fmt.Sprintf("%.0f", value)})
	}
	for i, s := range all {
		var points strings.Builder
		for n, value := range smooth(s.Values) {
			x := chartLeft + (chartWidth-chartLeft)*float64(n)*s.Every/longest
			fmt.Fprintf(&points, "%.1f,%.1f ", x, chartHeight*(1-value/top))
		}
		c.Lines = append(c.Lines, line{s.Side, i % colours, points.String()})
	}
	return c
}

// smooth is the mean of each value and its neighbours, for readers' eyes.
func smooth(values []float64) []float64 {
	means := make([]float64, len(values))
	for i := range values {
		some := values[max(0, i-1):min(len(values), i+2)]
		for _, value := range some {
			means[i] += value / float64(len(some))
		}
	}
	return means
}

// percentiles puts a tenth of a millisecond at the left and ten seconds at the right.
func percentiles(s Series) latencies {
	const decades, least = 5, 0.1
	l := latencies{Side: s.Side}
	names := slices.SortedFunc(maps.Keys(s.Millis), func(a, b string) int { return cmp.Compare(s.Millis[a], s.Millis[b]) })
	for _, name := range names {
		width := (chartWidth - barLeft - chartLeft) * min(max(math.Log10(s.Millis[name]/least)/decades, 0), 1)
		l.Bars = append(l.Bars, bar{
			Name: name, Text: fmt.Sprintf("%.1f ms", s.Millis[name]), Y: float64(len(l.Bars)) * barHeight,
			Width: width, TextX: barLeft + 6, OK: true,
		})
	}
	return l
}
