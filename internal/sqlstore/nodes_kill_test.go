package sqlstore_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sqlstore"
)

// holderVariable makes a copy of this test binary hold a node number of the databases in a folder until it is killed.
const holderVariable = "SECKILL_TEST_HOLDER"

// holderIDs is how many ids it makes: more than a millisecond has.
const holderIDs = 3 * seckill.SequencesMax

// holdLease prints the ids it makes in one line, or why it makes none.
func holdLease(folder string) int {
	ids, err := makeIDs(folder)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println(ids...)                  //nolint:forbidigo // the parent reads it
	_, _ = io.Copy(io.Discard, os.Stdin) // until it is killed, or its parent is gone
	return 0
}

func makeIDs(folder string) (made []any, err error) {
	c := config(folder, 1)
	c.Log = slog.New(slog.NewTextHandler(os.Stderr, nil))
	store, err := sqlstore.Open(context.Background(), c)
	if err != nil {
		return nil, err
	}
	if err := store.IDs().Acquire(context.Background()); err != nil {
		return nil, err
	}
	for len(made) < holderIDs {
		if id, err := store.IDs().Next(0); err == nil { // else the clock has to catch up with those that are made
			made = append(made, id)
		}
	}
	return made, nil
}

// holding is such a process.
type holding struct {
	*exec.Cmd
	ids []seckill.ID
}

// holdNumber starts one, which the end of the test kills, and returns when it has made its ids.
func holdNumber(t *testing.T, folder string) *holding {
	t.Helper()
	child := exec.CommandContext(t.Context(), underAnotherName(t))
	child.Env, child.Stderr = append(os.Environ(), holderVariable+"="+folder), t.Output()
	_, err := child.StdinPipe()
	must(t, err)
	output, err := child.StdoutPipe()
	must(t, err)
	must(t, child.Start())
	t.Cleanup(func() {
		_ = child.Process.Kill() // it may be dead
		_ = child.Wait()
	})
	line, err := bufio.NewReader(output).ReadString('\n')
	must(t, err)
	h := &holding{Cmd: child}
	for text := range strings.FieldsSeq(line) {
		id, err := seckill.ParseID(text)
		must(t, err)
		h.ids = append(h.ids, id)
	}
	return h
}

// underAnotherName is this program by a name that looks like a zombie's in /proc.
func underAnotherName(t *testing.T) string {
	t.Helper()
	program, err := os.Executable()
	must(t, err)
	name := filepath.Join(t.TempDir(), "x) Z 1 (")
	must(t, os.Symlink(program, name))
	return name
}

// needsLinux skips a test where nobody can prove that a process is dead.
func needsLinux(t *testing.T) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("elsewhere the numbers of the dead have to run out")
	}
}

// folderOf makes the databases of a folder.
func folderOf(t *testing.T) (folder string, store *sqlstore.Store) {
	t.Helper()
	folder = t.TempDir()
	copyMigrated(t, config(folder, 1))
	return folder, open(t, config(folder, 1))
}

func TestNodesOfTheKilled(t *testing.T) {
	t.Parallel()
	needsLinux(t)
	const killed = 100
	folder, _ := folderOf(t)
	var drawn [][]seckill.ID
	for range killed {
		h := holdNumber(t, folder)
		must(t, h.Process.Kill())
		_ = h.Wait() // killed, as it should be
		drawn = append(drawn, h.ids)
		if ahead := time.Until(h.ids[len(h.ids)-1].Time()); ahead > 2*time.Second {
			t.Fatalf("ids are %v ahead of the clock", ahead)
		}
	}
	distinct(t, drawn...)
}

func TestNodeOfAChild(t *testing.T) {
	t.Parallel()
	needsLinux(t)
	t.Run("is taken over while the parent has not noticed its end", func(t *testing.T) {
		t.Parallel()
		folder, store := folderOf(t)
		h := holdNumber(t, folder)
		onlyNode(t, store, node(h.ids[0]))
		must(t, h.Process.Kill())
		for deadline := time.After(10 * time.Second); store.IDs().Acquire(t.Context()) != nil; {
			select {
			case <-time.After(5 * time.Millisecond): // the signal is sent, not obeyed, when Kill returns
			case <-deadline:
				t.Fatal("the number was never free")
			}
		}
		distinct(t, h.ids, draw(t, store.IDs(), 1))
	})
	t.Run("is left alone while the child stands still", func(t *testing.T) {
		t.Parallel()
		folder, store := folderOf(t)
		h := holdNumber(t, folder)
		onlyNode(t, store, node(h.ids[0]))
		must(t, h.Process.Signal(syscall.SIGSTOP))
		var status syscall.WaitStatus
		_, err := syscall.Wait4(h.Process.Pid, &status, syscall.WUNTRACED, nil)
		must(t, err)
		if !status.Stopped() {
			t.Fatalf("the child does not stand still: %v", status)
		}
		if err := store.IDs().Acquire(t.Context()); err == nil {
			t.Fatal("took the number of a living process")
		}
	})
}
