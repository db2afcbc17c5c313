package stage

import (
	"context"
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
	ticks, err := sum(fields[user : kernel+1])
	return time.Duration(ticks) * cpuTick, err
}

// Busy is the share of all processors' time that anybody used within some time from now on. It needs Linux.
func Busy(ctx context.Context, within time.Duration) (float64, error) {
	idle, all, err := idleTicks()
	if err != nil {
		return 0, err
	}
	select {
	case <-time.After(within):
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	idleThen, allThen, err := idleTicks()
	if err != nil {
		return 0, err
	}
	return 1 - float64(idleThen-idle)/float64(max(allThen-all, 1)), nil
}

// idleTicks is for how long all processors together had nothing to do since the system started, and since when that is.
func idleTicks() (idle, all int64, err error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, 0, fmt.Errorf("read the processors' time: %w", err)
	}
	line, _, _ := strings.Cut(string(text), "\n")   // cpu user nice system idle iowait irq softirq steal guest guest_nice
	const first, idling, waiting, last = 1, 4, 5, 8 // guests are counted as user, too
	fields := strings.Fields(line)
	if len(fields) <= last {
		return 0, 0, fmt.Errorf("read the processors' time: %q", line)
	}
	if idle, err = sum(fields[idling : waiting+1]); err != nil {
		return 0, 0, err
	}
	all, err = sum(fields[first : last+1])
	return idle, all, err
}

func sum(fields []string) (total int64, err error) {
	for _, field := range fields {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("read the processor time: %w", err)
		}
		total += n
	}
	return total, nil
}
