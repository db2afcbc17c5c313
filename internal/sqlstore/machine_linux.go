package sqlstore

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// machineNameBytes are enough to tell the machines of one system apart.
const machineNameBytes = 8

// linux reads /proc.
type linux struct{ me process }

func thisMachine() machine {
	me, err := identify()
	if err != nil {
		return nowhere{} // the leases of dead neighbours run out instead
	}
	return linux{me: me}
}

// identify finds out which process this is. The name of the machine is made of everything without which a pid, a start
// time or the uptime would mean something else. A host name is among it for virtual machines that were copied while they
// ran, and have the same boot id ever after.
func identify() (process, error) {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return process{}, err
	}
	pids, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return process{}, err
	}
	host, err := os.Hostname()
	if err != nil {
		return process{}, err
	}
	clock, _ := os.Readlink("/proc/self/ns/time") // kernels before 5.6 have none
	if _, err := uptime(); err != nil {
		return process{}, err
	}
	me, err := readStat("self")
	if err != nil {
		return process{}, err
	}
	if me.pid != os.Getpid() {
		return process{}, errors.New("/proc counts processes otherwise than this one")
	}
	sum := sha256.Sum256([]byte(strings.Join([]string{string(boot), pids, clock, host}, "\n")))
	return process{machine: hex.EncodeToString(sum[:machineNameBytes]), pid: me.pid, started: me.started}, nil
}

func (l linux) self() process { return l.me }

// ended asks for the process by kill, not by looking for its folder: /proc may hide other users' processes.
func (l linux) ended(p process) bool {
	if p.machine != l.me.machine || p.pid <= 0 {
		return false
	}
	if errors.Is(unix.Kill(p.pid, 0), unix.ESRCH) {
		return true
	}
	found, err := readStat(strconv.Itoa(p.pid))
	return err == nil && (found.started != p.started || found.isCorpse())
}

func (linux) uptime() time.Duration {
	now, _ := uptime() // identify has seen that it can be read
	return now
}

// uptime includes the time that the machine was suspended, so it never falls behind the monotonic clock.
func uptime() (time.Duration, error) {
	var now unix.Timespec
	err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &now)
	return time.Duration(now.Nano()), err
}

// stat is what /proc/PID/stat says.
type stat struct {
	pid     int
	state   string
	threads int
	started int64
}

// isCorpse says that it has ended, and only waits for its parent to notice. While another thread of it is left it runs.
func (s stat) isCorpse() bool { return (s.state == "Z" || s.state == "X") && s.threads <= 1 }

// The fields behind the name, which stands in parentheses and may contain anything.
const (
	statState   = 0
	statThreads = 17
	statStarted = 19
)

func readStat(pid string) (stat, error) {
	line, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return stat{}, err
	}
	found, err := parseStat(string(line))
	if err != nil {
		return stat{}, fmt.Errorf("/proc/%s/stat: %w", pid, err)
	}
	return found, nil
}

func parseStat(line string) (stat, error) {
	number, _, _ := strings.Cut(line, " ")
	fields := strings.Fields(line[strings.LastIndexByte(line, ')')+1:])
	if len(fields) <= statStarted {
		return stat{}, fmt.Errorf("there are %d fields behind the name", len(fields))
	}
	s := stat{state: fields[statState]}
	var failures [3]error
	s.pid, failures[0] = strconv.Atoi(number)
	s.threads, failures[1] = strconv.Atoi(fields[statThreads])
	s.started, failures[2] = strconv.ParseInt(fields[statStarted], 10, 64)
	return s, cmp.Or(failures[:]...)
}
