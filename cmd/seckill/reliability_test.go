package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/seckill-dev/seckill/internal/drill"
	"github.com/seckill-dev/seckill/internal/testenv/source"
)

const (
	repository      = "../.."
	reliabilityFile = repository + "/docs/reliability.md"
	// packageOfTests is where tests are that the matrix names without a package.
	packageOfTests = "internal/app"
	shownBy        = 6 // the column
)

var quoted = regexp.MustCompile("`[^`]+`")

// TestReliability holds the matrix of faults to what there is: a row names tests, faults of the drill, programs.
func TestReliability(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile(reliabilityFile)
	if err != nil {
		t.Fatal(err)
	}
	m := matrix{packages: make(map[string]source.Package)}
	for line := range strings.Lines(string(content)) {
		cells := strings.Split(line, "|")
		if len(cells) <= shownBy {
			continue
		}
		number, err := strconv.Atoi(strings.TrimSpace(cells[1]))
		if err != nil {
			continue
		}
		if m.rows++; number != m.rows {
			t.Errorf("row %d is the %dth", number, m.rows)
		}
		if err := m.check(cells[shownBy]); err != nil {
			t.Errorf("row %d: %v", number, err)
		}
	}
	if m.rows == 0 {
		t.Error("there is no matrix any more")
	}
}

func TestReliabilityNoticesWhatThereIsNot(t *testing.T) {
	t.Parallel()
	m := matrix{packages: make(map[string]source.Package)}
	for cell, want := range map[string]string{
		"": "nothing shows it", "by hand": "nothing shows it",
		"`TestOnServer`":                               "no test TestOnServer in internal/app",
		"`TestOnSer…`":                                 "no test TestOnSer… in internal/app",
		"`TestOnServers/many…sellers`":                 "nothing called many…sellers in internal/app",
		"`internal/redis` `TestOnServers`":             "no test TestOnServers in internal/redis",
		"`internal/nowhere` `TestOnServers`":           "no such file or directory",
		"`internal/redis` `TestCheck`; `TestCheck`":    "no test TestCheck in internal/app",
		"drill `kill:redis`, `kill:postgres`":          "there is no fault kill:postgres",
		"`drill --everything`":                         "unknown flag --everything",
		"`TestOnServers`, `./scripts/tortures`":        "no such file or directory",
		"`TestOnServers` with `SECKILL_TEST_ORDERS=1`": "no variable SECKILL_TEST_ORDERS in internal/app",
		"`kill:redis`":                                 "what is kill:redis?",
	} {
		if err := m.check(cell); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, not %q", cell, err, want)
		}
	}
}

// matrix looks up what rows name.
type matrix struct {
	rows     int
	packages map[string]source.Package
}

// check says what a cell names that there is not.
func (m matrix) check(cell string) error {
	names := 0
	var failures []error
	for part := range strings.SplitSeq(cell, ";") {
		folder, faults := packageOfTests, strings.HasPrefix(strings.TrimSpace(part), "drill ")
		for _, name := range quoted.FindAllString(part, -1) {
			name = strings.Trim(name, "`")
			names++
			switch {
			case faults:
				failures = append(failures, drill.CheckFaults([]string{name}, false))
			case strings.HasPrefix(name, "internal/"):
				folder = name
			default:
				failures = append(failures, m.find(folder, name))
			}
		}
	}
	if names == 0 {
		return errors.New("nothing shows it")
	}
	return errors.Join(failures...)
}

func (m matrix) find(folder, name string) error {
	switch {
	case strings.HasPrefix(name, "Test"):
		return m.findTest(folder, name)
	case strings.HasPrefix(name, "SECKILL_"):
		return m.findVariable(folder, name)
	case strings.HasPrefix(name, "./"):
		_, err := os.Stat(filepath.Join(repository, name))
		return err
	case strings.HasPrefix(name, "drill "):
		line, err := kong.New(new(commands))
		if err == nil {
			_, err = line.Parse(strings.Fields(name))
		}
		return err
	default:
		return fmt.Errorf("what is %s?", name)
	}
}

// findTest finds the whole name of a test, and a part of it by its words.
func (m matrix) findTest(folder, name string) error {
	of, err := m.testsOf(folder)
	if err != nil {
		return err
	}
	name, part, hasPart := strings.Cut(name, "/")
	if !of.Tests[name] {
		return fmt.Errorf("there is no test %s in %s", name, folder)
	}
	words := strings.Trim(part, "…")
	isPart := func(text string) bool { return strings.Contains(strings.ReplaceAll(text, " ", "_"), words) }
	if hasPart && (words == "" || !slices.ContainsFunc(slices.Collect(maps.Keys(of.Texts)), isPart)) {
		return fmt.Errorf("%s has nothing called %s in %s", name, part, folder)
	}
	return nil
}

func (m matrix) findVariable(folder, name string) error {
	of, err := m.testsOf(folder)
	if name, _, _ = strings.Cut(name, "="); err == nil && !of.Texts[name] {
		return fmt.Errorf("there is no variable %s in %s", name, folder)
	}
	return err
}

// testsOf reads the tests of a package, once.
func (m matrix) testsOf(folder string) (source.Package, error) {
	if known, ok := m.packages[folder]; ok {
		return known, nil
	}
	found, err := source.Read(filepath.Join(repository, folder), "_test.go")
	if err == nil {
		m.packages[folder] = found
	}
	return found, err
}
