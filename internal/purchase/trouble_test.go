package purchase

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestTrouble(t *testing.T) {
	t.Parallel()
	const fails, works = true, false
	for name, c := range map[string]struct {
		notes []bool // one each 400 ms
		want  []string
	}{
		"says nothing of a job that works":                 {[]bool{works, works, works}, nil},
		"says nothing of a moment":                         {[]bool{works, fails, works, fails, fails, works}, nil},
		"says nothing of many moments":                     {[]bool{fails, works, fails, works, fails, works, fails, works}, nil},
		"warns once of what lasts":                         {[]bool{fails, fails, fails, fails, fails, fails}, []string{"level=WARN"}},
		"says when it is over, and begins to count anew":   {[]bool{fails, fails, fails, fails, works, fails, works}, []string{"level=WARN", "level=INFO"}},
		"warns of the next one that lasts, like the first": {[]bool{fails, fails, fails, fails, works, fails, fails, fails, fails}, []string{"level=WARN", "level=INFO", "level=WARN"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var said bytes.Buffer
			job := trouble{log: slog.New(slog.NewTextHandler(&said, nil))}
			for i, failing := range c.notes {
				var err error
				if failing {
					err = errors.New("away")
				}
				job.note(time.Unix(0, 0).Add(time.Duration(i)*400*time.Millisecond), err)
			}
			var got []string
			for line := range strings.Lines(said.String()) {
				got = append(got, strings.Fields(line)[1])
			}
			if strings.Join(got, " ") != strings.Join(c.want, " ") {
				t.Errorf("said\n%swant %v", said.String(), c.want)
			}
		})
	}
}
