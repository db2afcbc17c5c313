package sqlstore

import (
	"fmt"
	"strings"
	"testing"
)

// FuzzStat: whatever a process calls itself, its state, threads and start are read from behind the name.
func FuzzStat(f *testing.F) {
	f.Add("seckill", 4711, byte('S'), 12, int64(99), "")
	f.Add(") Z 1 1 1", 1, byte('Z'), 1, int64(0), "1 (a) S 0")
	f.Add("a b\n)", 1<<22, byte('X'), 0, int64(-1), "4711 (seckill) S"+strings.Repeat(" 9223372036854775808", 30))
	f.Fuzz(func(t *testing.T, name string, pid int, state byte, threads int, started int64, text string) {
		if _, err := parseStat(text); err != nil && strings.Contains(err.Error(), "\n") {
			t.Fatalf("%q is refused in more than one line: %v", text, err)
		}
		if state <= ' ' || state >= 0x7f || state == ')' {
			t.Skip("no state of a process")
		}
		line := fmt.Sprintf("%d (%s) %c%s %d 0 %d 1 2 3\n", pid, name, state, strings.Repeat(" 7", statThreads-1), threads, started)
		got, err := parseStat(line)
		if want := (stat{pid: pid, state: string(rune(state)), threads: threads, started: started}); err != nil || got != want {
			t.Fatalf("%q became %+v, %v", line, got, err)
		}
	})
}
