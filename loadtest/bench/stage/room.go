package stage

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

const (
	bytesPerKB = 1024
	// filesBeside is what a process opens besides its connections to shoppers.
	filesBeside = 512
)

// ErrNoRoom says that this machine does not let the bench do something.
var ErrNoRoom = errors.New("there is no room")

// AllowConnections lets this process, and those that it starts from now on, have so many connections, or is ErrNoRoom.
func AllowConnections(count int) error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("read the limit of open files: %w", err)
	}
	want := uint64(count + filesBeside) //nolint:gosec // a small number
	if limit.Cur >= want {
		return nil
	}
	limit = syscall.Rlimit{Cur: want, Max: max(limit.Max, want)}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("%w for %d connections: raise the limit of open files to %d (ulimit -n): %w", ErrNoRoom, count, want, err)
	}
	return nil
}

// NeedDisk is ErrNoRoom unless so many bytes are free where everything is.
func (s *Stage) NeedDisk(bytes int64) error {
	var disk syscall.Statfs_t
	if err := syscall.Statfs(s.dir, &disk); err != nil {
		return fmt.Errorf("look for room at %s: %w", s.dir, err)
	}
	if free := int64(disk.Bavail) * disk.Bsize; free < bytes { //nolint:gosec // no disk is so large
		return fmt.Errorf("%w: %.1f GB are needed at %s (TMPDIR), and %.1f GB are free", ErrNoRoom, gigabytes(bytes), s.dir, gigabytes(free))
	}
	return nil
}

// Disk is where everything is, and on what: in memory a commit costs nothing.
func (s *Stage) Disk() (string, error) {
	var disk syscall.Statfs_t
	if err := syscall.Statfs(s.dir, &disk); err != nil {
		return "", fmt.Errorf("look what %s is: %w", s.dir, err)
	}
	kinds := map[int64]string{
		0xEF53: "ext4", 0x58465342: "xfs", 0x9123683E: "btrfs", 0x794C7630: "overlay", 0x2FC12FC1: "zfs", 0x01021994: "tmpfs, so in memory",
	}
	kind, known := kinds[int64(disk.Type)] //nolint:unconvert // it is narrower on some machines
	if !known {
		kind = fmt.Sprintf("a file system of type %#x", disk.Type)
	}
	return filepath.Dir(s.dir) + ", " + kind, nil
}

func gigabytes(bytes int64) float64 { return float64(bytes) / 1e9 }

// PeakMemory is the most memory that a role has had so far, in bytes. It needs Linux.
func (p *Product) PeakMemory(role string) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.processes[role].PID()))
	if err != nil {
		return 0, fmt.Errorf("read the memory of %s: %w", role, err)
	}
	return PeakOf(string(text))
}

// PeakOf reads VmHWM, the peak of resident memory, out of what the kernel says of a process, in bytes.
func PeakOf(status string) (int64, error) {
	for line := range strings.Lines(status) {
		value, found := strings.CutPrefix(line, "VmHWM:")
		if !found {
			continue
		}
		number, unit, _ := strings.Cut(strings.TrimSpace(value), " ")
		if kilobytes, err := strconv.ParseInt(number, 10, 64); err == nil && unit == "kB" {
			return kilobytes * bytesPerKB, nil
		}
	}
	return 0, errors.New("the kernel does not say VmHWM")
}

// SQLBytes is what the files of the database take on the disk.
func (s *Stage) SQLBytes() (sum int64, err error) { return sizeOf(s.path("mariadb")) }

func sizeOf(folder string) (sum int64, err error) {
	err = filepath.WalkDir(folder, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return ignoreGone(err)
		}
		info, err := entry.Info()
		if err == nil {
			sum += info.Size()
		}
		return ignoreGone(err)
	})
	return sum, err
}

// ignoreGone: the server removes its temporary files while they are counted.
func ignoreGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
