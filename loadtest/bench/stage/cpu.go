package stage

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// cpuTick is the kernel's unit of processor times (USER_HZ), the same on every Linux that Go runs on.
const cpuTick = 10 * time.Millisecond

// CPU is the processor time that a process has used so far, in user and kernel. It needs Linux.
func CPU(pid int) (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, fmt.Errorf("read the processor time: %w", err)
	}
	_, after, _ := strings.Cut(string(text), ") ") // the name comes before it, in parentheses
	const user, kernel = 11, 12
	fields := strings.Fields(after)
	if len(fields) <= kernel {
		return 0, fmt.Errorf("read the processor time: %q", text)
	}
	var ticks int64
	for _, field := range fields[user : kernel+1] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("read the processor time: %w", err)
		}
		ticks += n
	}
	return time.Duration(ticks) * cpuTick, nil
}
