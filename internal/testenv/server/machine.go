package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"github.com/seckill-dev/seckill/internal/testenv/process"
)

const (
	portAttempts = 5    // another process may take a free port before the server does
	logTailMax   = 2000 // how much of a server's log a failure quotes, in bytes
	identityFile = "identity.json"
)

// machine is what all servers have in common: one process on one port, with a folder, that can be lost, frozen and
// brought back.
type machine struct {
	name   string
	dir    string
	isOurs bool // the folder: made here, removed at the end
	tls    *TLS // nil: there is only the plain way in
	id     identity

	launch  func(ctx context.Context) error // starts the process and waits until it serves
	empty   func(ctx context.Context) error // loses all data of a server that is not running
	settled func()                          // waits for what a kill would take that no test is about; nil: nothing

	mu      sync.Mutex // held while the server comes or goes
	process *process.Process
}

// identity is what a server keeps for life: it is written into the folder, so that whoever opens the folder again gets the
// same server.
type identity struct {
	Port     int
	NodePort int    `json:",omitempty"` // RabbitMQ: the Erlang distribution
	Password string `json:",omitempty"`
	// SecurePort is another port for TLS.
	SecurePort int `json:",omitempty"`
}

// newMachine makes the server's folder: the one that is asked for, or a temporary one.
func newMachine(name string, options Options) (*machine, error) {
	dir := options.Dir
	m := &machine{name: name, dir: dir, isOurs: dir == "", tls: options.TLS}
	var err error
	if m.isOurs {
		m.dir, err = os.MkdirTemp("", "seckill-"+name+"-")
	} else if m.dir, err = filepath.Abs(dir); err == nil {
		err = os.MkdirAll(m.dir, 0o700)
	}
	if err != nil {
		return nil, fmt.Errorf("make a folder for %s: %w", name, err)
	}
	return m, m.recall()
}

// recall reads the identity of a server that was in the folder before.
func (m *machine) recall() error {
	text, err := os.ReadFile(m.file(identityFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = json.Unmarshal(text, &m.id)
	}
	if err != nil {
		return fmt.Errorf("%s: who it was: %w", m.name, err)
	}
	return nil
}

func (m *machine) remember() error {
	text, err := json.Marshal(m.id)
	if err == nil {
		err = os.WriteFile(m.file(identityFile), text, 0o600)
	}
	if err != nil {
		return fmt.Errorf("%s: write down who it is: %w", m.name, err)
	}
	return nil
}

// isNew says whether the folder has had no server yet.
func (m *machine) isNew() bool { return m.id.Port == 0 }

// Addr is where the server listens. It stays the same over restarts.
func (m *machine) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(m.id.Port)) }

// Kill ends the server as kill -9 does, and it stays away. What it had answered or confirmed is in its folder.
func (m *machine) Kill() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.crash()
}

// Stop freezes the server (SIGSTOP): connections stay open and nothing answers, as behind a cut network.
func (m *machine) Stop() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.process.Stop()
}

// Continue ends a Stop; what clients sent meanwhile is carried out now.
func (m *machine) Continue() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.process.Continue()
}

// Gone is closed when the present process has ended, whoever ended it.
func (m *machine) Gone() <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.process.Exited()
}

// Log is the file with everything that the server has said in its life.
func (m *machine) Log() string { return m.log() }

// IsUp says whether the server runs, and is not just being started.
func (m *machine) IsUp() bool {
	if !m.mu.TryLock() {
		return false
	}
	defer m.mu.Unlock()
	return m.process.Running()
}

// Restart kills the server, if it still runs, starts it on the same port with the data it had, and returns when it serves.
func (m *machine) Restart(ctx context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.crash()
	return m.launch(ctx)
}

// RestartEmpty is Restart with nothing left: a lost disk, or a machine replaced.
func (m *machine) RestartEmpty(ctx context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.kill()
	if err := m.empty(ctx); err != nil {
		return fmt.Errorf("empty %s: %w", m.name, err)
	}
	return m.launch(ctx)
}

// Close ends the server, and removes its folder if nobody chose it. It may be called at any time, and twice.
func (m *machine) Close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.kill()
	if m.isOurs {
		_ = os.RemoveAll(m.dir) // a left-over temporary folder harms nobody
	}
}

// crash is a kill whose data will be used again.
func (m *machine) crash() {
	if m.settled != nil {
		m.settled()
	}
	m.kill()
}

func (m *machine) kill() {
	if m.process != nil {
		m.process.Kill()
	}
}

// settle starts the server: on the ports it had, or on some that nobody else has, which choose picks.
func (m *machine) settle(ctx context.Context, choose func() error) (err error) {
	defer func() {
		if err != nil {
			m.Close()
		}
	}()
	if !m.isNew() {
		return m.launch(ctx)
	}
	for range portAttempts {
		if err = choose(); err != nil {
			return err
		}
		if err = m.launch(ctx); !errors.Is(err, process.ErrExited) {
			break
		}
	}
	if err != nil {
		return err
	}
	return m.remember()
}

// choosePort is the choice of a server with one port.
func (m *machine) choosePort() (err error) {
	m.id.Port, err = FreePort()
	return err
}

// run starts the server's process, whose output goes to a file in its folder, and waits until it is ready.
func (m *machine) run(command process.Command, ready func() error) error {
	p, err := m.spawn(command)
	if err != nil {
		return err
	}
	m.process = p
	if err := ready(); err != nil {
		p.Kill()
		return fmt.Errorf("%w; its log ends:\n%s", err, m.logTail())
	}
	return nil
}

// spawn starts a program of the server in its folder.
func (m *machine) spawn(command process.Command) (*process.Process, error) {
	program, err := find(command.Args[0])
	if err != nil {
		return nil, err
	}
	output, err := os.OpenFile(m.log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the log of %s: %w", m.name, err)
	}
	defer output.Close() // the child has its own copy
	command.Args = append([]string{program}, command.Args[1:]...)
	command.Dir, command.Output = m.dir, output
	return process.Start(command)
}

// emptyData leaves the folder of the data, which may be a link to another disk, with nothing in it.
func (m *machine) emptyData() error {
	entries, err := os.ReadDir(m.data())
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if err := os.RemoveAll(filepath.Join(m.data(), entry.Name())); err != nil {
			return err
		}
	}
	return nil
}

func (m *machine) file(name string) string { return filepath.Join(m.dir, name) }
func (m *machine) data() string            { return m.file("data") }
func (m *machine) log() string             { return m.file(m.name + ".log") }

// logTail is the end of what the server has written, for a failure's message.
func (m *machine) logTail() string {
	text, err := os.ReadFile(m.log())
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-logTailMax):])
}
