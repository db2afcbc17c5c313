package drill

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// disk is a small file system in memory that can be filled. It is mounted nowhere: this process holds it open, and it is
// gone with it, however it ends.
type disk struct {
	root   *os.File
	filler string
}

// openDisk makes one of so many megabytes, and has a folder that is not there yet lead to it. It takes root.
func openDisk(folder string, megabytes int64) (*disk, error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("only root may mount a small one")
	}
	if err := os.MkdirAll(filepath.Dir(folder), 0o700); err != nil {
		return nil, err
	}
	root, err := mountOnce(folder+".disk", fmt.Sprintf("size=%dm", megabytes))
	if err != nil {
		return nil, fmt.Errorf("mount a small one: %w", err)
	}
	path := fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), root.Fd())
	data := filepath.Join(path, filepath.Base(folder))
	if err := errors.Join(os.Mkdir(data, 0o700), os.Symlink(data, folder)); err != nil {
		return nil, errors.Join(err, root.Close())
	}
	return &disk{root: root, filler: filepath.Join(path, "filler")}, nil
}

// mountOnce opens a file system that nobody finds any more.
func mountOnce(place, options string) (*os.File, error) {
	if err := os.Mkdir(place, 0o700); err != nil {
		return nil, err
	}
	if err := syscall.Mount("seckill-drill", place, "tmpfs", syscall.MS_NOSUID|syscall.MS_NODEV, options); err != nil {
		return nil, errors.Join(err, os.Remove(place))
	}
	root, err := os.Open(place)
	return root, errors.Join(err, syscall.Unmount(place, syscall.MNT_DETACH), os.Remove(place))
}

// fill leaves no room.
func (d *disk) fill() error {
	file, err := os.OpenFile(d.filler, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	block := make([]byte, 1<<20)
	for err == nil {
		_, err = file.Write(block)
	}
	if errors.Is(err, syscall.ENOSPC) {
		err = nil
	}
	return errors.Join(err, file.Close())
}

// free makes room again. It may be called at any time. The file is emptied first: a process that is being started has it open
// until it is itself, and keeps what is only removed.
func (d *disk) free() error {
	err := os.Truncate(d.filler, 0)
	if err == nil {
		err = os.Remove(d.filler)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func (d *disk) close() { d.root.Close() }
