package sandbox

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/gofrs/flock"
)

// lineMax bounds one line of the ledger.
const lineMax = 64 << 10

// ledger is the file. Nothing in it is ever changed. It is not safe for concurrent use.
type ledger struct {
	file *os.File
	lock *flock.Flock
	// ends are the offsets behind each entry; the last one is where the next begins.
	ends []int64
	// broken says that the end of the file is not known any more; nothing is written behind it.
	broken error
}

// openLedger opens or makes the file, for this process alone, and replays what is in it.
func openLedger(path string, apply func(Entry) error) (*ledger, error) {
	lock := flock.New(path+".lock", flock.SetPermissions(0o600))
	locked, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock the ledger: %w", err)
	}
	if !locked {
		return nil, fmt.Errorf("the ledger %s is in use by another process", path)
	}
	l := &ledger{lock: lock}
	if l.file, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("open the ledger: %w", err), lock.Close())
	}
	if err := l.replay(apply); err != nil {
		return nil, errors.Join(fmt.Errorf("replay the ledger %s: %w", path, err), l.close())
	}
	return l, nil
}

func (l *ledger) close() error { return errors.Join(l.file.Close(), l.lock.Close()) }

// replay applies every whole line. A torn last one was never answered for: it is cut off.
func (l *ledger) replay(apply func(Entry) error) error {
	lines := bufio.NewReaderSize(l.file, lineMax)
	for {
		line, err := lines.ReadSlice('\n')
		if errors.Is(err, io.EOF) {
			return l.file.Truncate(l.size())
		}
		if err != nil {
			return fmt.Errorf("entry %d: %w", len(l.ends)+1, err)
		}
		var entry Entry
		if err := json.Unmarshal(line, &entry); err != nil {
			return fmt.Errorf("entry %d: %w", len(l.ends)+1, err)
		}
		if entry.N != l.next() {
			return fmt.Errorf("entry %d has the number %d", l.next(), entry.N)
		}
		if err := apply(entry); err != nil {
			return fmt.Errorf("entry %d: %w", entry.N, err)
		}
		l.ends = append(l.ends, l.size()+int64(len(line)))
	}
}

// next is the number of the next entry.
func (l *ledger) next() int64 { return int64(len(l.ends)) + 1 }

func (l *ledger) size() int64 {
	if len(l.ends) == 0 {
		return 0
	}
	return l.ends[len(l.ends)-1]
}

// append numbers the entries and writes them at once: all of them, or none.
func (l *ledger) append(entries []Entry) error {
	if l.broken != nil {
		return l.broken
	}
	var text bytes.Buffer
	ends := make([]int64, len(entries))
	for i := range entries {
		entries[i].N = l.next() + int64(i)
		line, err := json.Marshal(entries[i])
		if err != nil {
			return fmt.Errorf("encode an entry: %w", err)
		}
		text.Write(line)
		text.WriteByte('\n')
		ends[i] = l.size() + int64(text.Len())
	}
	if _, err := l.file.WriteAt(text.Bytes(), l.size()); err != nil {
		if undone := l.file.Truncate(l.size()); undone != nil {
			l.broken = fmt.Errorf("the ledger ends in the middle of an entry: %w", undone)
		}
		return fmt.Errorf("write the ledger: %w", err)
	}
	l.ends = append(l.ends, ends...)
	return nil
}

// read returns the lines of the entries behind `after`, at most limit of them.
func (l *ledger) read(after int64, limit int) ([]byte, error) {
	last := min(after+int64(limit), int64(len(l.ends)))
	if after >= last {
		return nil, nil
	}
	begin := int64(0)
	if after > 0 {
		begin = l.ends[after-1]
	}
	lines := make([]byte, l.ends[last-1]-begin)
	if _, err := l.file.ReadAt(lines, begin); err != nil {
		return nil, fmt.Errorf("read the ledger: %w", err)
	}
	return lines, nil
}
