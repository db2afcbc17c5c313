package app

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"

	"github.com/seckill-dev/seckill/internal/archive"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// exportFile is a compressed file that is there as a whole, or not at all. Until then it is FILE.part, which is locked: what a
// killed archive left there is nobody's, and the next one writes over it. Anything else is left alone.
type exportFile struct {
	to   ArchiveExport
	sale seckill.ID
	lock *flock.Flock
	part *os.File
	zip  *gzip.Writer
	// begun: something was written.
	begun bool
	// committed: the part has its name by now, so whatever is in its place is somebody else's.
	committed bool
	replaced  bool
}

// createExport begins a file beside the one that is to be.
func createExport(to ArchiveExport, sale seckill.ID) (*exportFile, error) {
	f := &exportFile{to: to, sale: sale}
	if _, err := f.mayReplace(); err != nil {
		return nil, fmt.Errorf("--export: %w", err)
	}
	if err := f.open(); err != nil {
		return nil, fmt.Errorf("--export: %w", err)
	}
	f.zip = gzip.NewWriter(f.part)
	return f, nil
}

// open takes the part for this process alone. Who was locked out until just now may hold what has become the export itself.
func (f *exportFile) open() (err error) {
	path := f.to.Path + ".part"
	flag, err := partFlag(path)
	if err != nil {
		return err
	}
	f.lock = flock.New(path, flock.SetFlag(flag), flock.SetPermissions(0o600))
	defer func() {
		if err != nil {
			err = errors.Join(err, f.lock.Close())
		}
	}()
	held, err := f.lock.TryLock()
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	ours, err := f.holdsPart(held)
	if err != nil {
		return err
	}
	if !ours {
		return fmt.Errorf("another archive is writing %s", f.to.Path)
	}
	return f.empty()
}

// partFlag says how the part is opened: it is made, or the one that is there is taken. Neither follows a link: somebody has
// put that there for something else.
func partFlag(path string) (int, error) {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return os.O_RDWR | os.O_CREATE | os.O_EXCL, nil
	case err != nil:
		return 0, err
	case !info.Mode().IsRegular():
		return 0, fmt.Errorf("%s is there, and is no ordinary file", path)
	default:
		return os.O_RDWR, nil
	}
}

// empty begins the part anew, unless what is there is somebody else's.
func (f *exportFile) empty() error {
	path := f.lock.Path()
	if !f.to.Force && !isPart(path) {
		return fmt.Errorf("%s is there, and is no unfinished export: name another file, or replace it with --force", path)
	}
	part, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	if ours, err := f.holdsPart(true); err != nil || !ours { // it was ours when it was looked at
		return errors.Join(err, part.Close(), fmt.Errorf("somebody has put another file at %s", path))
	}
	f.part = part
	return part.Truncate(0)
}

// isPart says that a file may be what a killed archive has left: nothing, or the beginning of an export.
func isPart(path string) bool {
	file, err := os.Open(path)
	if err != nil {
		return false
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && info.Size() == 0 {
		return true
	}
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		return false
	}
	return archive.Begins(unzipped)
}

func (f *exportFile) holdsPart(held bool) (bool, error) {
	if !held {
		return false, nil
	}
	locked, err := f.lock.Stat()
	if err != nil {
		return false, err
	}
	there, err := os.Lstat(f.lock.Path())
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && os.SameFile(locked, there), err
}

// mayReplace refuses to take the place of what is not an export of this sale, unless told so, and says whether there is
// something to be replaced.
func (f *exportFile) mayReplace() (bool, error) {
	info, err := os.Lstat(f.to.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	case !info.Mode().IsRegular():
		return false, fmt.Errorf("%s is there, and is no ordinary file", f.to.Path)
	case f.to.Force || exportedSale(f.to.Path) == f.sale:
		return true, nil
	default:
		return false, fmt.Errorf("%s is there, and is no export of sale %s: name another file, or replace it with --force", f.to.Path, f.sale)
	}
}

// exportedSale is the sale that a file is an export of, 0 when it is none.
func exportedSale(path string) seckill.ID {
	file, err := os.Open(path)
	if err != nil {
		return 0
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		return 0
	}
	return archive.SaleOf(unzipped)
}

// Write implements io.Writer. The first line goes to the disk at once: it says whose the part is.
func (f *exportFile) Write(text []byte) (int, error) {
	written, err := f.zip.Write(text)
	if err != nil || f.begun {
		return written, err
	}
	f.begun = true
	return written, f.zip.Flush()
}

// Commit gives the file its name once all of it is on the disk. Somebody may have put another one there meanwhile.
func (f *exportFile) Commit() (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("write %s: %w", f.to.Path, err)
		}
	}()
	if err := errors.Join(f.zip.Close(), f.part.Sync(), f.part.Close()); err != nil {
		return err
	}
	if f.replaced, err = f.mayReplace(); err != nil {
		return err
	}
	if err := os.Rename(f.part.Name(), f.to.Path); err != nil {
		return err
	}
	f.committed = true
	folder, err := os.Open(filepath.Dir(f.to.Path))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// close leaves nothing of what was not committed.
func (f *exportFile) close() error {
	_ = f.part.Close() // it was closed, or nobody needs it
	var err error
	if !f.committed {
		err = os.Remove(f.part.Name())
	}
	if err = errors.Join(err, f.lock.Close()); err != nil {
		return fmt.Errorf("end the export: %w", err)
	}
	return nil
}
