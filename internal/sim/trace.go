package sim

import (
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// trace is what happened, one line for each step. A nil trace keeps nothing: that is how schedules are run, and one that
// fails is run again.
type trace struct {
	now   func() time.Duration
	mu    sync.Mutex
	lines []line
}

func (t *trace) add(l line) {
	t.mu.Lock()
	defer t.mu.Unlock()
	l.at = t.now()
	t.lines = append(t.lines, l)
}

// line is one step. Lines of the world as a whole are always shown.
type line struct {
	at      time.Duration
	text    string
	world   bool
	turning bool
	item    seckill.ID
}

func (t *trace) say(format string, args ...any) {
	if t == nil {
		return
	}
	t.add(line{text: "** " + fmt.Sprintf(format, args...), world: true})
}

// note is a line about somebody.
func (t *trace) note(format string, args ...any) {
	if t == nil {
		return
	}
	t.add(line{text: "   " + fmt.Sprintf(format, args...)})
}

// called notes a call that took its effect, or will have none.
func (t *trace) called(c *call, answer any) {
	if t == nil {
		return
	}
	text := fmt.Sprintf("   %-10s %s %s", c.process.name, c.method, c.about)
	switch {
	case c.fate == refused || c.ahead:
		text += fmt.Sprintf(" !! no effect: %v", c.told)
	case c.failure != nil:
		text += fmt.Sprintf(" => %v", c.failure)
	default:
		text += fmt.Sprintf(" => %+v", answer)
	}
	if c.over && (c.fate == lost || c.fate == died) {
		text += fmt.Sprintf(" !! nobody hears of it: %v", c.told)
	}
	t.add(line{text: text, turning: c.method.turns(), item: c.about.item})
}

func (t *trace) late(c *call) {
	if t == nil {
		return
	}
	t.add(line{
		text: fmt.Sprintf("   %-10s %s %s !! takes effect late", c.process.name, c.method, c.about), item: c.about.item,
	})
}

// String is the part of a line that says what a call is about.
func (a about) String() string {
	var b strings.Builder
	if a.item != 0 {
		fmt.Fprintf(&b, "%d", a.item)
	} else {
		fmt.Fprintf(&b, "shard %d", a.shard)
	}
	if a.user != "" {
		fmt.Fprintf(&b, " %s", a.user)
	}
	if a.id != 0 {
		fmt.Fprintf(&b, " %d", a.id)
	}
	for _, word := range a.says {
		fmt.Fprintf(&b, " %+v", word)
	}
	return b.String()
}

// turns says that a method moves an item from one state to the next, which explains much of what happens to others.
func (m method) turns() bool {
	switch m {
	case lentLoad, lentOpen, lentIssue, stocksSeal, stocksRebuild, stocksOpen, stocksIssue, stocksReleaseDoubt, stocksAdjust,
		stocksRaiseHigh, catalogChange:
		return true
	default:
		return false
	}
}

const (
	// linesMax is how much of a schedule is shown at most: the end of it.
	linesMax = 400
	lineMax  = 600
)

// about are the lines that have to do with something: they name it, or everything if nothing is named.
func (t *trace) about(item seckill.ID, names ...string) []string {
	short := newShort()
	var shown []string
	for _, l := range t.lines {
		if !l.concerns(item, names) {
			continue
		}
		shown = append(shown, fmt.Sprintf("%9.3f %s", l.at.Seconds(), clip(short.write(l.text))))
	}
	if len(shown) > linesMax {
		shown = append([]string{fmt.Sprintf("… %d lines …", len(shown)-linesMax)}, shown[len(shown)-linesMax:]...)
	}
	return shown
}

// concerns says whether a line is worth showing.
func (l line) concerns(item seckill.ID, names []string) bool {
	turning := l.turning && (item == 0 || l.item == item)
	return l.world || turning || len(names) == 0 || mentions(l.text, names)
}

func clip(text string) string {
	if len(text) > lineMax {
		return text[:lineMax] + "…"
	}
	return text
}

func mentions(text string, names []string) bool {
	for _, name := range names {
		if strings.Contains(text, name) {
			return true
		}
	}
	return false
}

// short writes ids in a few letters.
type short struct {
	ids   *regexp.Regexp
	zones *regexp.Regexp
	known map[string]string
}

func newShort() *short {
	return &short{
		ids: regexp.MustCompile(`\b\d{15,19}\b`), zones: regexp.MustCompile(` \+0000 UTC( m=\+[\d.]+)?`), known: map[string]string{},
	}
}

func (s *short) write(text string) string {
	text = s.zones.ReplaceAllString(text, "")
	return s.ids.ReplaceAllStringFunc(text, func(id string) string {
		if s.known[id] == "" {
			s.known[id] = fmt.Sprintf("#%d", len(s.known)+1)
		}
		return s.known[id]
	})
}

// logLines has what processes log in the trace.
type logLines struct {
	trace *trace
	with  []slog.Attr
}

// Enabled implements slog.Handler, and so do the others.
func (h *logLines) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelInfo }

// Handle writes a line.
func (h *logLines) Handle(_ context.Context, record slog.Record) error {
	var b strings.Builder
	b.WriteString(record.Message)
	say := func(a slog.Attr) bool {
		fmt.Fprintf(&b, " %s=%v", a.Key, a.Value)
		return true
	}
	for _, a := range h.with {
		say(a)
	}
	record.Attrs(say)
	h.trace.note("           log: %s", b.String())
	return nil
}

// WithAttrs adds attributes.
func (h *logLines) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &logLines{h.trace, append(h.with[:len(h.with):len(h.with)], attrs...)}
}

// WithGroup is of no use here.
func (h *logLines) WithGroup(string) slog.Handler { return h }
