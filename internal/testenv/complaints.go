package testenv

import (
	"regexp"
	"strings"
)

var (
	complaint = regexp.MustCompile(`level=(WARN|ERROR)`)
	late      = regexp.MustCompile(`deadline exceeded|i/o timeout|rests after failures`)
)

// Complaints are the lines of a log in which a process asks for somebody's attention. That something took too long is none:
// a test does not know what else its machine has to do. Nor is what follows, the rest that a breaker gives a server.
func Complaints(log string) []string {
	var lines []string
	for line := range strings.Lines(log) {
		if complaint.MatchString(line) && !late.MatchString(line) {
			lines = append(lines, line)
		}
	}
	return lines
}
