package rabbitmq

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestAbsence(t *testing.T) {
	t.Parallel()
	refused, start := errors.New("connection refused"), time.Now()
	type moment struct {
		after time.Duration
		up    bool // connected; else a failure
	}
	for _, it := range []struct {
		does    string
		moments []moment
		want    string // the levels, in order
	}{
		{"is told once, without a warning, while everything starts", []moment{{0, false}, {time.Second, false}, {4 * time.Second, false}, {5 * time.Second, true}}, "INFO INFO"},
		{"is not told when the first attempt works", []moment{{0, true}}, ""},
		{"becomes a warning when the broker does not come", []moment{{0, false}, {4 * time.Second, false}, {5 * time.Second, false}, {7 * time.Second, false}}, "INFO WARN"},
		{"is a warning at once when a connection is lost", []moment{{0, true}, {time.Hour, false}, {time.Hour + time.Second, false}, {time.Hour + 2*time.Second, true}}, "WARN INFO"},
		{"is repeated when it lasts", []moment{{0, true}, {time.Second, false}, {29 * time.Second, false}, {31 * time.Second, false}, {32 * time.Second, false}}, "WARN WARN"},
		{"is a warning each time", []moment{{0, true}, {1, false}, {2, true}, {3, false}}, "WARN INFO WARN"},
	} {
		t.Run(it.does, func(t *testing.T) {
			t.Parallel()
			var text bytes.Buffer
			a := absence{log: slog.New(slog.NewTextHandler(&text, nil))}
			for _, m := range it.moments {
				if m.up {
					a.over()
				} else {
					a.lasts(start.Add(m.after), refused)
				}
			}
			var levels []string
			for line := range strings.Lines(text.String()) {
				_, rest, _ := strings.Cut(line, "level=")
				level, _, _ := strings.Cut(rest, " ")
				levels = append(levels, level)
			}
			if got := strings.Join(levels, " "); got != it.want {
				t.Errorf("tells %s, want %s:\n%s", got, it.want, text.String())
			}
		})
	}
}
