// Package process runs child processes that never outlive this one: real servers, and the system's own roles beside them.
// Each leads a process group, so that what it starts itself ends with it. It needs a Unix.
package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

const (
	stopWithin = 10 * time.Second       // until a signalled process stands still; an idle machine needs a millisecond
	stopPoll   = 5 * time.Millisecond   // between two looks at its threads
	pipeWithin = 100 * time.Millisecond // how long a grandchild that outlives the child may hold its output
)

// ErrExited is the failure of a process that ended while it was still needed.
var ErrExited = errors.New("it has exited")

// Command is what to run. It must stay in the foreground.
type Command struct {
	Args   []string  // the program, found in PATH unless it is a path, and its arguments
	Env    []string  // nil is ours
	Dir    string    // empty is ours
	Output io.Writer // both streams; nil is nowhere. A file is handed over as it is
}

// Process is one child, running or gone.
type Process struct {
	name   string
	pid    int
	exited chan struct{} // closed once it has been reaped
	ending error         // known once exited is closed
}

// Start starts a child, which ends with this process at the latest.
func Start(command Command) (*Process, error) {
	name := filepath.Base(command.Args[0])
	cmd := exec.Command(command.Args[0], command.Args[1:]...) //nolint:noctx // it outlives whoever happened to start it
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = command.Dir, command.Env, command.Output, command.Output
	cmd.SysProcAttr, cmd.WaitDelay = boundToUs(), pipeWithin
	p := &Process{name: name, exited: make(chan struct{})}
	started := make(chan error)
	go p.own(cmd, started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	return p, nil
}

// own starts the child and stays until it is gone. Linux ends the child with the *thread* that forked it, so that
// thread is held here for as long.
func (p *Process) own(cmd *exec.Cmd, started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := cmd.Start(); err != nil {
		started <- err
		return
	}
	p.pid = cmd.Process.Pid
	started <- nil
	p.ending = cmd.Wait()
	close(p.exited)
}

// PID is the child's process id, and that of its group.
func (p *Process) PID() int { return p.pid }

// Exited is closed when the child is gone.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// Ending waits until the child is gone and says why, nil for exit status 0.
func (p *Process) Ending() error {
	<-p.exited
	return p.ending
}

// Running says whether the child has not been reaped yet; a stopped one is running.
func (p *Process) Running() bool {
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

// Signal reaches the child and everything it has started.
func (p *Process) Signal(sig syscall.Signal) error {
	if !p.Running() {
		return fmt.Errorf("signal %s: %w", p.name, ErrExited)
	}
	if err := syscall.Kill(-p.pid, sig); err != nil {
		return fmt.Errorf("signal %s: %w", p.name, err)
	}
	return nil
}

// Kill ends the child as kill -9 does, whatever state it is in, and returns when it is gone.
func (p *Process) Kill() {
	if p.Signal(syscall.SIGKILL) == nil {
		<-p.exited
	}
}

// Terminate asks the child to end (SIGTERM), and kills it when ctx is over. It returns when it is gone.
func (p *Process) Terminate(ctx context.Context) {
	if p.Signal(syscall.SIGTERM) != nil {
		return
	}
	select {
	case <-p.exited:
	case <-ctx.Done():
		p.Kill()
	}
}

// Stop freezes the child (SIGSTOP) and returns when it stands still: the signal is sent, not obeyed, when kill returns.
func (p *Process) Stop() error {
	if err := p.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	poll := time.NewTicker(stopPoll)
	defer poll.Stop()
	for deadline := time.After(stopWithin); p.anyThreadRuns(); {
		select {
		case <-poll.C:
		case <-deadline:
			return fmt.Errorf("%s did not stop within %v", p.name, stopWithin)
		}
	}
	return nil
}

// Continue ends a Stop.
func (p *Process) Continue() error { return p.Signal(syscall.SIGCONT) }

// anyThreadRuns reads the states of the threads; where there is no /proc it knows of none.
func (p *Process) anyThreadRuns() bool {
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", p.pid))
	return slices.ContainsFunc(files, func(file string) bool {
		line, err := os.ReadFile(file)
		_, state, _ := strings.Cut(string(line), ") ") // the name comes before it, in parentheses
		return err == nil && !strings.HasPrefix(state, "T")
	})
}
