package sim_test

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/sim"
)

// foundFile says which seed found each mistake last time. It is looked at first: a change of the product, or of the
// simulator, has other schedules come of the same seeds, and then it is searched anew.
const foundFile = "testdata/found.txt"

// found are the seeds by mistake.
func found(t *testing.T) map[string]uint64 {
	t.Helper()
	seeds := map[string]uint64{}
	file, err := os.Open(foundFile)
	if err != nil {
		return seeds
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		seed, name, _ := strings.Cut(lines.Text(), "\t")
		if n, err := strconv.ParseUint(seed, 10, 64); err == nil {
			seeds[name] = n
		}
	}
	return seeds
}

const (
	// mistakesLeast is how many mistakes there must be.
	mistakesLeast = 40
	// survivesDefault is few: only TestSearch (make sim) looks for as long as it takes.
	survivesDefault = 300
)

// TestMistakes plants every mistake and expects that a schedule notices: the one that is written down, or one of the first.
// Nothing else shows that the other schedules notice anything.
func TestMistakes(t *testing.T) {
	if raced {
		t.Skip("the race detector shuffles goroutines")
	}
	seeds := found(t)
	searches := flags.shares > 1 || flags.mistake != ""
	for n, m := range sim.Mistakes() {
		if n%flags.shares != flags.share || !strings.Contains(m.Name, flags.mistake) {
			continue
		}
		if seeds[m.Name] == 0 && !searches {
			t.Errorf("%s has no seed in %s: make sim UPDATE=1", m.Name, foundFile)
		} else if !notices(t, m, seeds[m.Name]) {
			t.Errorf("nobody notices within %d schedules: %s (%s); make sim UPDATE=1 looks further", flags.survives, m.Name, m.Source)
		}
	}
}

// notices says whether a schedule does.
func notices(t *testing.T, m sim.Mistake, known uint64) bool {
	t.Helper()
	began := time.Now()
	if known > 0 {
		if rule := breaks(t, m.Name, known); rule != "" {
			tell(m, known, rule, began)
			return true
		}
	}
	seed, rule := search(t, m.Name)
	if seed > 0 {
		tell(m, seed, rule, began)
	}
	return seed > 0
}

// tell says where a mistake was noticed, for who writes that down.
func tell(m sim.Mistake, seed uint64, rule string, began time.Time) {
	if flags.shares > 1 || flags.mistake != "" {
		took := time.Since(began).Round(time.Second / 100)
		fmt.Fprintf(os.Stdout, foundMark+"%d\t%s\t(%s; %s; %s)\n", seed, m.Name, m.Source, rule, took)
	}
}

// search finds the first schedule that notices a mistake, and which promise is broken.
func search(t *testing.T, name string) (seed uint64, rule string) {
	t.Helper()
	for seed := flags.from; seed < flags.from+uint64(flags.survives); seed++ { //nolint:gosec // it is positive
		if rule := breaks(t, name, seed); rule != "" {
			return seed, rule
		}
	}
	return 0, ""
}

// breaks is the promise that a schedule breaks because of a mistake, and keeps without.
func breaks(t *testing.T, name string, seed uint64) string {
	t.Helper()
	r := run(t, seed, sim.Options{Mistake: name})
	if r.Violation == nil || run(t, seed, sim.Options{}).Violation != nil {
		return ""
	}
	return r.Violation.Rule
}

// foundMark begins what TestMistakes prints of one that was searched for.
const foundMark = "found\t"

// TestSearch looks for every mistake in as many processes as there are processors: make sim. With -update it writes down where
// they were found.
func TestSearch(t *testing.T) {
	if os.Getenv("SECKILL_SIM_MANY") == "" {
		t.Skip("make sim")
	}
	var mu sync.Mutex
	var all sync.WaitGroup
	var lines []string
	for n := range runtime.NumCPU() {
		all.Go(func() {
			said, well := runShare(t.Context(), "^TestMistakes$", part{n, runtime.NumCPU(), flags.from, flags.schedules}, func(tally) {})
			mu.Lock()
			defer mu.Unlock()
			lines = append(lines, foundIn(said)...)
			if !well {
				t.Error(said)
			}
		})
	}
	all.Wait()
	t.Logf("%d of %d mistakes are noticed", len(lines), len(sim.Mistakes()))
	if flags.update {
		write(t, lines)
	}
}

// foundIn are the lines of the file that a process has printed.
func foundIn(said string) (lines []string) {
	for line := range strings.Lines(said) {
		if _, rest, is := strings.Cut(line, foundMark); is {
			seed, name, _ := strings.Cut(rest, "\t")
			name, _, _ = strings.Cut(name, "\t")
			lines = append(lines, seed+"\t"+name)
		}
	}
	return lines
}

// write writes the file in the order of the table.
func write(t *testing.T, lines []string) {
	t.Helper()
	order := map[string]int{}
	for n, m := range sim.Mistakes() {
		order[m.Name] = n
	}
	slices.SortFunc(lines, func(a, b string) int {
		_, nameA, _ := strings.Cut(a, "\t")
		_, nameB, _ := strings.Cut(b, "\t")
		return order[nameA] - order[nameB]
	})
	if err := os.WriteFile(foundFile, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestMistakesAreNamed keeps the table readable: each has a name of its own, and says where it comes from.
func TestMistakesAreNamed(t *testing.T) {
	names := map[string]bool{}
	for _, m := range sim.Mistakes() {
		if names[m.Name] || m.Name == "" || m.Source == "" {
			t.Errorf("%q of %q", m.Name, m.Source)
		}
		names[m.Name] = true
	}
	if len(names) < mistakesLeast {
		t.Errorf("there are %d mistakes", len(names))
	}
}
