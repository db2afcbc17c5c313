package app

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// exportFile is a compressed file that is there as a whole, or not at all.
type exportFile struct {
	path string
	temp *os.File
	zip  *gzip.Writer
}

// createExport begins a file beside the one that is to be.
func createExport(path string) (*exportFile, error) {
	temp, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.part")
	if err != nil {
		return nil, fmt.Errorf("--export: %w", err)
	}
	return &exportFile{path: path, temp: temp, zip: gzip.NewWriter(temp)}, nil
}

// Write implements io.Writer.
func (f *exportFile) Write(text []byte) (int, error) { return f.zip.Write(text) }

// Commit gives the file its name once all of it is on the disk.
func (f *exportFile) Commit() error {
	if err := errors.Join(f.zip.Close(), f.temp.Sync(), f.temp.Close()); err != nil {
		return fmt.Errorf("write %s: %w", f.path, err)
	}
	if err := os.Rename(f.temp.Name(), f.path); err != nil {
		return fmt.Errorf("write %s: %w", f.path, err)
	}
	folder, err := os.Open(filepath.Dir(f.path))
	if err != nil {
		return fmt.Errorf("write %s: %w", f.path, err)
	}
	if err := errors.Join(folder.Sync(), folder.Close()); err != nil {
		return fmt.Errorf("write %s: %w", f.path, err)
	}
	return nil
}

// discard leaves nothing of what was not committed.
func (f *exportFile) discard() error {
	_ = f.temp.Close() // it was closed, or nobody needs it
	if err := os.Remove(f.temp.Name()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove an unfinished export: %w", err)
	}
	return nil
}
