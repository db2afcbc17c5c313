package sim_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	// shareEvery is how many schedules a process runs before it tells how it is getting on.
	shareEvery = 250
	shareMark  = "tally "
	// progressEvery is how often that is shown.
	progressEvery = 10 * time.Second
)

// share tells the process that started this one what has come up since the last time.
func share(sum *tally) {
	if flags.shares == 1 {
		return
	}
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	sum.Memory = memory.Sys
	line, err := json.Marshal(sum)
	if err != nil {
		panic(err)
	}
	fmt.Fprintln(os.Stdout, shareMark+string(line))
}

// TestMany runs schedules in as many processes as there are processors, and shows how they are getting on: make sim. The
// first violation ends it, unless it is to go on.
func TestMany(t *testing.T) {
	if os.Getenv("SECKILL_SIM_MANY") == "" {
		t.Skip("make sim")
	}
	shares := runtime.NumCPU()
	sums := newSums(shares)
	began, done := time.Now(), make(chan struct{})
	go progress(began, sums.all, done)
	ctx, end := context.WithCancel(t.Context())
	defer end()
	var all sync.WaitGroup
	for n := range shares {
		all.Go(func() {
			for first := 0; first < flags.schedules; first += processSchedules {
				which := part{
					number: n, of: shares, from: flags.from + uint64(first), schedules: min(processSchedules, flags.schedules-first),
				}
				said, well := runShare(ctx, "^TestSchedules$", which, func(one tally) { sums.put(n, one) })
				sums.next(n)
				if ctx.Err() != nil { // it was ended because of another one
					return
				}
				if !well {
					t.Error(said)
				}
				if !well && !flags.onward {
					end()
				}
			}
		})
	}
	all.Wait()
	close(done)
	total := sums.all()
	total.Took = time.Since(began)
	t.Log(total.String())
}

// processSchedules is how many schedules are run before new processes go on: one keeps some kilobytes of each.
const processSchedules = 40_000

// sums are the latest tallies of all processes, and those of the processes before them.
type sums struct {
	mu     sync.Mutex
	latest []tally
	before tally
}

func newSums(shares int) *sums { return &sums{latest: make([]tally, shares), before: newTally()} }

// next says that a process is done.
func (s *sums) next(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.latest[n].Memory = 0
	s.before.merge(s.latest[n])
	s.latest[n] = tally{}
}

func (s *sums) put(n int, one tally) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.latest[n] = one
}

func (s *sums) all() tally {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := newTally()
	all.merge(s.before)
	for _, one := range s.latest {
		all.merge(one)
	}
	return all
}

// part is what one process does of the work.
type part struct {
	number, of int
	from       uint64
	schedules  int
}

// runShare runs a share of a test in a process of its own, and returns what it printed and whether it went well.
func runShare(ctx context.Context, test string, which part, heard func(tally)) (string, bool) {
	//nolint:gosec // it starts itself
	command := exec.CommandContext(ctx, os.Args[0], "-test.run", test, "-test.timeout", "0",
		"-share", strconv.Itoa(which.number), "-shares", strconv.Itoa(which.of), "-mistake", flags.mistake,
		"-schedules", strconv.Itoa(which.schedules), "-from", strconv.FormatUint(which.from, 10), "-survives", strconv.Itoa(flags.survives),
		"-update="+strconv.FormatBool(flags.update), "-onward="+strconv.FormatBool(flags.onward))
	command.Stderr = os.Stderr
	out, err := command.StdoutPipe()
	if err != nil {
		return err.Error(), false
	}
	if err := command.Start(); err != nil {
		return err.Error(), false
	}
	said := listen(bufio.NewScanner(out), heard)
	return said, command.Wait() == nil
}

// listen takes the tallies out of what a process prints.
func listen(lines *bufio.Scanner, heard func(tally)) string {
	lines.Buffer(nil, 1<<24)
	var said strings.Builder
	for lines.Scan() {
		if text, is := strings.CutPrefix(lines.Text(), shareMark); is {
			one := newTally()
			if json.Unmarshal([]byte(text), &one) == nil {
				heard(one)
			}
			continue
		}
		said.WriteString(lines.Text() + "\n")
	}
	return said.String()
}

// progress says now and then how far all processes are, and how much memory they have.
func progress(began time.Time, sum func() tally, done <-chan struct{}) {
	for {
		select {
		case <-time.After(progressEvery):
			now, took := sum(), time.Since(began)
			each := took / time.Duration(max(now.Schedules, 1))
			fmt.Fprintf(os.Stderr, "sim: %7s %8d schedules, %4.0f/s, %d violations, %d MB; %s to go\n%s",
				took.Round(time.Second), now.Schedules, float64(now.Schedules)/took.Seconds(), now.violations(), now.Memory>>20,
				(each * time.Duration(flags.schedules-now.Schedules)).Round(time.Second), now.broken())
		case <-done:
			return
		}
	}
}
