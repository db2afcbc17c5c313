package drill

import (
	"fmt"
	"html/template"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"time"

	_ "embed" // the page
)

//go:embed page.html
var pageText string

// Sizes of the chart, in the units of its view box.
const (
	chartWidth  = 1000.0
	chartHeight = 240.0
	chartLeft   = 50.0
	chartTop    = 8.0
	chartBottom = 24.0
	// pointsMax is how many points a line has at most; longer drills are averaged.
	pointsMax = 600
)

// page is what page.html shows.
type page struct {
	Report

	Title, When, Line, Speed, Enough, Points string
	Slow                                     bool
	Height                                   float64
	Rows                                     []shownRow
	Ticks, Times                             []tick
	Marks                                    []mark
	Faults                                   []shownFault
	Bars                                     []shownBar
	Drills                                   []shownDrill
}

type shownRow struct {
	Name, Text string
	IsPart     bool // of the row before
}

type tick struct {
	At   float64
	Text string
}

// mark is a fault in the chart, from its beginning until everybody could buy again.
type mark struct {
	X, Width float64
	Kind     int // colour
	Text     string
}

type shownFault struct {
	At, Name, Effect, Sells, Orders, CaughtUp, Failure string
	Kind                                               int
	OK, Idle                                           bool
}

// shownBar is a bar, or one of its kinds of faults.
type shownBar struct {
	Name, Median, Worst, Most, Verdict string
	Count                              int
	Missed, IsKind                     bool
}

// shownDrill is one of several.
type shownDrill struct {
	Link, Name, Line string
	OK               bool
}

func (r Report) writePage(out io.Writer) error {
	t, err := template.New("page").Parse(pageText)
	if err != nil {
		return err
	}
	return t.Execute(out, r.page())
}

func (r Report) page() page {
	p := page{
		Report: r, Title: fmt.Sprintf("seckill drill, seed %d", r.Seed), Line: r.line(), Speed: recoveryLine(r.recoveries),
		Slow: slices.ContainsFunc(r.recoveries, recovery.isMissed), Enough: r.goalsLine(), Height: chartTop + chartHeight + chartBottom,
		When: fmt.Sprintf("%s, %s of faults, took %s", r.Began.UTC().Format(time.RFC1123), r.Lasts, r.Took.Round(time.Second)),
	}
	for _, one := range r.rows() {
		p.Rows = append(p.Rows, shownRow{one.name, one.text, strings.HasPrefix(one.name, " ")})
	}
	for _, rec := range r.recoveries {
		p.Bars = append(p.Bars, showBar(rec, false))
		for _, kind := range rec.kinds {
			p.Bars = append(p.Bars, showBar(kind, true))
		}
	}
	if len(r.drills) > 0 { // which have charts and faults of their own
		p.Title = fmt.Sprintf("seckill drill, %d seeds", len(r.drills))
		for _, one := range r.drills {
			p.Drills = append(p.Drills, shownDrill{
				Link: filepath.ToSlash(filepath.Join(filepath.Base(one.Folder), pageName)), Name: fmt.Sprintf("seed %d", one.Seed),
				Line: one.line(), OK: one.OK(),
			})
		}
		return p
	}
	p.draw()
	for _, t := range r.turns {
		p.Faults = append(p.Faults, r.showFault(t))
	}
	return p
}

func showBar(rec recovery, isKind bool) shownBar {
	return shownBar{rec.name, shortly(rec.median), shortly(rec.worst), rec.most(), rec.verdict(), rec.count, rec.isMissed(), isKind}
}

func (r Report) showFault(t turn) shownFault {
	shown := shownFault{
		At: clock(t.at.Sub(r.Began)), Name: t.act.String(), Effect: t.effect,
		Sells: shortly(t.sells), Orders: shortly(t.orders), CaughtUp: shortly(t.caughtUp),
		Kind: colourOf(t.act), OK: t.over && t.failure == nil && t.isWhole(), Idle: t.isIdle(),
	}
	if t.failure != nil {
		shown.Failure = t.failure.Error()
	}
	if !t.over {
		shown.Sells, shown.Orders, shown.CaughtUp = "", "", ""
	}
	if shown.Idle {
		shown.Effect = noEffect
	}
	return shown
}

func clock(d time.Duration) string {
	return fmt.Sprintf("%02d:%02d", int(d.Minutes()), int(d.Seconds())%60)
}

// colourOf gives each kind of victim its colour.
func colourOf(a act) int {
	kinds := []string{redis, rabbitmq, "mariadb", "api", "worker", "keeper"}
	return max(0, slices.Index(kinds, kindOf(a.victim))+1)
}

// draw makes the chart: promises each second, and the faults behind them.
func (p *page) draw() {
	longest := max(p.Took.Seconds(), 1)
	x := func(seconds float64) float64 { return chartLeft + (chartWidth-chartLeft)*min(seconds/longest, 1) }
	values, every := thinned(p.seconds)
	top := 1.0
	if len(values) > 0 {
		top = max(slices.Max(values), 1)
	}
	y := func(value float64) float64 { return chartTop + chartHeight*(1-value/top) }
	var points strings.Builder
	for i, value := range values {
		fmt.Fprintf(&points, "%.1f,%.1f ", x((float64(i)+0.5)*every), y(value))
	}
	p.Points = points.String()
	step := stepOf(top)
	for value := 0.0; value <= top; value += step {
		p.Ticks = append(p.Ticks, tick{y(value), fmt.Sprintf("%.0f", value)})
	}
	pause := stepOf(longest/60) * 60
	for at := 0.0; at <= longest; at += pause {
		p.Times = append(p.Times, tick{x(at), clock(time.Duration(at * float64(time.Second)))})
	}
	for _, t := range p.turns {
		begins := t.at.Sub(p.Began).Seconds()
		ends := max(t.from.Add(max(t.sells, 0)).Sub(p.Began).Seconds(), begins)
		left := x(begins)
		p.Marks = append(p.Marks, mark{
			X: left, Width: max(x(ends)-left, 1.5), Kind: colourOf(t.act),
			Text: fmt.Sprintf("%s  %s: sells again after %s", clock(t.at.Sub(p.Began)), t.act, shortly(t.sells)),
		})
	}
}

// stepOf is a round number of which a few make the whole.
func stepOf(whole float64) float64 {
	step := math.Pow(10, math.Floor(math.Log10(whole)))
	switch {
	case whole/step >= 5:
		return step
	case whole/step >= 2:
		return step / 2
	default:
		return step / 5
	}
}

// thinned averages seconds until there are few enough, and says how many each value stands for.
func thinned(seconds []int64) (values []float64, every float64) {
	group := max(1, (len(seconds)+pointsMax-1)/pointsMax)
	for some := range slices.Chunk(seconds, group) {
		sum := 0.0
		for _, n := range some {
			sum += float64(n)
		}
		values = append(values, sum/float64(len(some)))
	}
	return values, float64(group)
}
