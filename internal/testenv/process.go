package testenv

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
)

// logTailMax bounds how much of a server's log a failure quotes, in bytes.
const logTailMax = 2000

// errExited is the failure of a server that ended while it was still needed.
var errExited = errors.New("server exited")

// process is one server: a child process, leader of a process group so that its own children end with it.
type process struct {
	name   string
	pid    int
	log    string        // path of the file with its output
	exited chan struct{} // closed once it has been reaped
	ending error         // why it ended, nil for exit status 0; known once exited is closed
}

// startProcess starts a server that must stay in the foreground; its output goes to a file in dir.
func startProcess(dir, name string, args ...string) (*process, error) {
	return startProcessWith(nil, dir, name, args...)
}

// startProcessWith is startProcess with an environment; nil is ours. The name may be a path.
func startProcessWith(environment []string, dir, name string, args ...string) (*process, error) {
	path, err := exec.LookPath(name)
	if err != nil {
		return nil, fmt.Errorf("%s is not installed: run ./scripts/test, which installs what the tests need", name)
	}
	p := &process{name: name, log: filepath.Join(dir, filepath.Base(name)+".log"), exited: make(chan struct{})}
	output, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the log of %s: %w", name, err)
	}
	defer output.Close() // the child has its own copy
	// Not bound to a test's context: the server outlives the test that happened to start it.
	cmd := exec.CommandContext(context.Background(), path, args...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, environment, output, output
	cmd.SysProcAttr = boundToUs()
	started := make(chan error)
	go p.own(cmd, started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	return p, nil
}

// own starts the child and stays until it is gone. Linux ends the child with the *thread* that forked it, so that
// thread is held here for as long.
func (p *process) own(cmd *exec.Cmd, started chan<- error) {
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

// running says whether the server has not been reaped yet; a stopped one is running.
func (p *process) running() bool {
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

// signal reaches the server and everything it has started.
func (p *process) signal(sig syscall.Signal) error {
	if !p.running() {
		return fmt.Errorf("%s: %w", p.name, errExited)
	}
	if err := syscall.Kill(-p.pid, sig); err != nil {
		return fmt.Errorf("signal %s: %w", p.name, err)
	}
	return nil
}

// kill ends the server at once, whatever state it is in, and returns when it is gone.
func (p *process) kill() {
	if p.signal(syscall.SIGKILL) == nil {
		<-p.exited
	}
}

// logTail is the end of what the server has written, for a failure's message.
func (p *process) logTail() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-logTailMax):])
}

// Ports of servers come from below those that systems give to outgoing connections (32768 and up, or higher). Otherwise
// a client that dials a server which is down can be given the server's own port, and keeps it from coming back.
const (
	portMin   = 15_000
	portsMany = 17_000
	portTries = 100
)

// freePort returns a TCP port of the loopback interface that was free a moment ago. Whoever uses it must be ready to
// find it taken.
func freePort() (int, error) {
	var err error
	for range portTries {
		port := portMin + rand.IntN(portsMany)
		var listener net.Listener
		listener, err = (&net.ListenConfig{}).Listen(context.Background(), "tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			listener.Close()
			return port, nil
		}
	}
	return 0, fmt.Errorf("find a free port: %w", err)
}
