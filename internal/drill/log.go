package drill

import (
	"os"
	"strings"
)

// follower reads what a log gets from now on.
type follower struct {
	path   string
	offset int64
}

func follow(path string) follower {
	f := follower{path: path}
	if info, err := os.Stat(path); err == nil {
		f.offset = info.Size()
	}
	return f
}

// complaintMax is how much of a line is quoted.
const complaintMax = 100

// says is the first new line with one of these texts in it, from there on; nothing if there is none.
func (f follower) says(texts ...string) string {
	written, err := os.ReadFile(f.path)
	if err != nil || f.offset > int64(len(written)) {
		return ""
	}
	for line := range strings.Lines(string(written[f.offset:])) {
		for _, text := range texts {
			if _, _, found := strings.Cut(line, text); found {
				line = strings.TrimSpace(line)
				return `its log says "` + line[:min(len(line), complaintMax)] + `"`
			}
		}
	}
	return ""
}
