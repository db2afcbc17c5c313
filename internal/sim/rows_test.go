package sim_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seckill-dev/seckill/internal/sim"
	"github.com/seckill-dev/seckill/internal/testenv/source"
)

const (
	rowsFile = "testdata/rows.txt"
	// trapsAll and peersAll are how many rows there are of what goes wrong: here, and elsewhere.
	trapsAll, peersAll = 35, 20
)

// row is one thing that goes wrong, and what holds it.
type row struct {
	name     string
	mistakes []string
	tests    []held
	why      string
}

// held is an ordinary test: its package, its function, and a subtest of it, "" for all of it.
type held struct{ folder, function, subtest string }

// TestRows keeps the table whole: every row is there, what holds it exists, and every mistake that a row has brought up is
// in it.
func TestRows(t *testing.T) {
	rows := readRows(t)
	wantNames(t, rows)
	planted := map[string]bool{}
	for _, m := range sim.Mistakes() {
		planted[m.Name] = true
		wantListed(t, rows, m)
	}
	said := map[string]source.Package{}
	for _, r := range rows {
		if len(r.mistakes)+len(r.tests) == 0 || len(r.mistakes) == 0 && r.why == "" {
			t.Errorf("%s: nothing holds it, or no schedule does and nobody says why", r.name)
		}
		for _, name := range r.mistakes {
			if !planted[name] {
				t.Errorf("%s: nobody plants %q", r.name, name)
			}
		}
		for _, h := range r.tests {
			wantTest(t, said, r, h)
		}
	}
}

// wantNames wants every row once.
func wantNames(t *testing.T, rows []row) {
	t.Helper()
	var traps, peers []string
	for _, r := range rows {
		if strings.HasPrefix(r.name, "trap ") {
			traps = append(traps, r.name)
		} else if strings.HasPrefix(r.name, "peer: ") && !slices.Contains(peers, r.name) {
			peers = append(peers, r.name)
		}
	}
	var want []string
	for n := range trapsAll {
		want = append(want, fmt.Sprintf("trap %d", n+1))
	}
	if !slices.Equal(traps, want) || len(peers) != peersAll || len(rows) != trapsAll+peersAll {
		t.Errorf("%d rows: the traps %q and the peers %q", len(rows), traps, peers)
	}
}

// wantListed wants a mistake that comes of a row in that row.
func wantListed(t *testing.T, rows []row, m sim.Mistake) {
	t.Helper()
	if !strings.HasPrefix(m.Source, "trap") && !strings.HasPrefix(m.Source, "peer") {
		return
	}
	at := slices.IndexFunc(rows, func(r row) bool { return r.name == m.Source })
	if at < 0 || !slices.Contains(rows[at].mistakes, m.Name) {
		t.Errorf("%q is of %q, which does not list it", m.Name, m.Source)
	}
}

// wantTest wants a test function in its package, and its subtest's name in the package or in the contracts.
func wantTest(t *testing.T, said map[string]source.Package, r row, h held) {
	t.Helper()
	here, contracts := sourcesOf(t, said, h.folder), sourcesOf(t, said, "contract")
	if !here.Tests[h.function] {
		t.Errorf("%s: there is no %s in %s", r.name, h.function, h.folder)
	}
	if h.subtest != "" && !here.Texts[h.subtest] && !contracts.Texts[h.subtest] {
		t.Errorf("%s: %s of %s has no test named %q", r.name, h.function, h.folder, h.subtest)
	}
}

// readRows reads the table: a row's name, and under it what holds it.
func readRows(t *testing.T) (rows []row) {
	t.Helper()
	file, err := os.ReadFile(rowsFile)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(file)) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		switch {
		case strings.HasPrefix(line, "#"):
		case fields[0] != "" && len(fields) == 2:
			rows = append(rows, row{name: fields[0]})
		case fields[0] == "" && len(fields) > 2 && len(rows) > 0 && rows[len(rows)-1].read(fields[1], fields[2:]):
		default:
			t.Errorf("nobody can read %q", line)
		}
	}
	return rows
}

// read takes one line of what holds a row.
func (r *row) read(kind string, fields []string) bool {
	switch {
	case kind == "mistake" && len(fields) == 1:
		r.mistakes = append(r.mistakes, fields[0])
	case kind == "test" && (len(fields) == 2 || len(fields) == 3):
		r.tests = append(r.tests, held{fields[0], fields[1], strings.Join(fields[2:], "")})
	case kind == "why" && len(fields) == 1 && r.why == "":
		r.why = fields[0]
	default:
		return false
	}
	return true
}

// sourcesOf reads the files of a package beside this one, once: contracts are not in files of tests.
func sourcesOf(t *testing.T, said map[string]source.Package, folder string) source.Package {
	t.Helper()
	if known, is := said[folder]; is {
		return known
	}
	p, err := source.Read(filepath.Join("..", folder), ".go")
	if err != nil {
		t.Errorf("there is no package %s: %v", folder, err)
	}
	said[folder] = p
	return p
}
