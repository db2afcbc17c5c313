package app_test

import (
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seckill-dev/seckill/internal/app"
	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	exported seckill.ID = 7
	row                 = `{"table":"sale","row":{"sale":"7"}}` + "\n"
)

// shelf is a folder with an export that is to be.
type shelf struct {
	*testing.T
	path string
}

func newShelf(t *testing.T) shelf {
	t.Helper()
	return shelf{t, filepath.Join(t.TempDir(), "sale.jsonl.gz")}
}

func (s shelf) begin(force bool) app.Export {
	s.Helper()
	export, err := app.CreateExport(app.ArchiveExport{Path: s.path, Force: force}, exported)
	if err != nil {
		s.Fatal(err)
	}
	return export
}

// write has a whole export written.
func (s shelf) write(force bool, text string) {
	s.Helper()
	export := s.begin(force)
	if _, err := io.WriteString(export, text); err != nil {
		s.Fatal(err)
	}
	if err := export.Commit(); err != nil {
		s.Fatal(err)
	}
	if err := export.Close(); err != nil {
		s.Fatal(err)
	}
}

func (s shelf) put(name, text string) {
	s.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		s.Fatal(err)
	}
}

func (s shelf) wantRefused(force bool, saying string) {
	s.Helper()
	if _, err := app.CreateExport(app.ArchiveExport{Path: s.path, Force: force}, exported); err == nil || !strings.Contains(err.Error(), saying) {
		s.Errorf("got %v", err)
	}
}

// want wants the export, and nothing else in its folder.
func (s shelf) want(text string) {
	s.Helper()
	file, err := os.Open(s.path)
	if err != nil {
		s.Fatal(err)
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		s.Fatal(err)
	}
	if got, err := io.ReadAll(unzipped); err != nil || string(got) != text {
		s.Errorf("got %q, %v", got, err)
	}
	s.wantFiles(1)
}

func (s shelf) wantFiles(count int) {
	s.Helper()
	files, err := os.ReadDir(filepath.Dir(s.path))
	if err != nil || len(files) != count {
		s.Errorf("the folder has %v, %v", files, err)
	}
}

func TestExportFile(t *testing.T) {
	t.Parallel()

	t.Run("is there as a whole, or not at all", func(t *testing.T) {
		t.Parallel()
		s := newShelf(t)
		export := s.begin(false)
		if err := export.Close(); err != nil {
			t.Fatal(err)
		}
		s.wantFiles(0)
		s.write(false, row)
		s.want(row)
	})

	t.Run("begins anew where a killed one was cut off", func(t *testing.T) {
		t.Parallel()
		s := newShelf(t)
		s.write(false, row)
		whole, err := os.ReadFile(s.path)
		if err != nil {
			t.Fatal(err)
		}
		for _, left := range []int{0, 10, 12, len(whole) - 8} { // nothing, the header of gzip, a little more, all but the end
			s.put(s.path+".part", string(whole[:left]))
			s.write(false, row)
			s.want(row)
		}
	})

	t.Run("tells from its first line on whose it is", tellsWhoseItIs)

	t.Run("keeps another archive off that writes the same file", func(t *testing.T) {
		t.Parallel()
		s := newShelf(t)
		export := s.begin(false)
		s.wantRefused(true, "another archive is writing ")
		if err := export.Close(); err != nil {
			t.Fatal(err)
		}
		s.write(false, row)
		s.want(row)
	})
}

func tellsWhoseItIs(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	export := s.begin(false)
	if _, err := io.WriteString(export, row); err != nil {
		t.Fatal(err)
	}
	cut, err := os.ReadFile(s.path + ".part")
	if err != nil {
		t.Fatal(err)
	}
	if err := export.Close(); err != nil {
		t.Fatal(err)
	}
	s.put(s.path+".part", string(cut))
	s.write(false, row)
	s.want(row)
}

func TestExportInPlace(t *testing.T) {
	t.Parallel()

	t.Run("replaces an export of the same sale", func(t *testing.T) {
		t.Parallel()
		s := newShelf(t)
		s.write(false, row)
		s.write(false, row+"more\n")
		s.want(row + "more\n")
	})

	t.Run("replaces nothing else, unless it must", func(t *testing.T) {
		t.Parallel()
		s := newShelf(t)
		s.write(false, `{"table":"sale","row":{"sale":"8"}}`)
		s.wantRefused(false, "is no export of sale 7: name another file, or replace it with --force")
		s.want(`{"table":"sale","row":{"sale":"8"}}`)
		s.put(s.path, "milk, eggs")
		s.wantRefused(false, "is no export of sale 7")
		s.write(true, row)
		s.want(row)
	})

	t.Run("replaces nothing that came meanwhile", func(t *testing.T) {
		t.Parallel()
		s := newShelf(t)
		export := s.begin(false)
		s.put(s.path, "milk, eggs")
		if err := export.Commit(); err == nil || !strings.Contains(err.Error(), "is no export of sale 7") {
			t.Errorf("got %v", err)
		}
		if err := export.Close(); err != nil {
			t.Fatal(err)
		}
		if text, err := os.ReadFile(s.path); err != nil || string(text) != "milk, eggs" {
			t.Errorf("got %q, %v", text, err)
		}
		s.wantFiles(1)
	})

	t.Run("never takes the place of what is no file", func(t *testing.T) {
		t.Parallel()
		s := newShelf(t)
		if err := os.Symlink("elsewhere", s.path); err != nil {
			t.Fatal(err)
		}
		s.wantRefused(true, "is no ordinary file")
		s.path = filepath.Dir(s.path)
		s.wantRefused(true, "is no ordinary file")
	})
}

func TestExportPart(t *testing.T) {
	t.Parallel()

	t.Run("takes no part that is somebody else's, unless it must", func(t *testing.T) {
		t.Parallel()
		s := newShelf(t)
		s.put(s.path+".part", "milk, eggs")
		s.wantRefused(false, ".part is there, and is no unfinished export: name another file, or replace it with --force")
		if text, err := os.ReadFile(s.path + ".part"); err != nil || string(text) != "milk, eggs" {
			t.Errorf("got %q, %v", text, err)
		}
		s.write(true, row)
		s.want(row)
	})

	t.Run("takes no part that is another compressed file", func(t *testing.T) {
		t.Parallel()
		s := newShelf(t)
		s.write(false, "milk, eggs")
		if err := os.Rename(s.path, s.path+".part"); err != nil {
			t.Fatal(err)
		}
		s.wantRefused(false, "is no unfinished export")
		s.wantFiles(1)
	})

	t.Run("follows no link", func(t *testing.T) {
		t.Parallel()
		s := newShelf(t)
		for _, to := range []string{"elsewhere", "there"} {
			s.put(filepath.Join(filepath.Dir(s.path), "there"), "")
			if err := os.Symlink(to, s.path+".part"); err != nil {
				t.Fatal(err)
			}
			s.wantRefused(true, ".part is there, and is no ordinary file")
			s.wantFiles(2)
			if err := os.Remove(s.path + ".part"); err != nil {
				t.Fatal(err)
			}
		}
	})
}
