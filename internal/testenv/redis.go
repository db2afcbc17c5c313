package testenv

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	readyWithin  = 10 * time.Second     // from start to the first answer; an idle machine needs 50 ms
	readyPoll    = 5 * time.Millisecond // between two questions whether it is ready
	portAttempts = 5                    // another process may take a free port before the server does
	answerWithin = 2 * time.Second      // one command
)

// Redis is a private redis-server: durable (append-only file) and never evicting, as a sale needs it.
type Redis struct {
	port    int
	dir     string
	process *process
}

// StartRedis starts a server for this test alone, which may kill, stop and empty it. It ends with the test.
func StartRedis(t testing.TB) *Redis {
	t.Helper()
	r, err := openRedis()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.close)
	return r
}

// Addr is where the server listens. It stays the same over restarts.
func (r *Redis) Addr() string {
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(r.port))
}

// Kill ends the server as kill -9 does. What it had answered is in its folder.
func (r *Redis) Kill(t testing.TB) {
	t.Helper()
	r.process.kill()
}

// Stop freezes the server (SIGSTOP): connections stay open and nothing answers, as behind a cut network.
func (r *Redis) Stop(t testing.TB) {
	t.Helper()
	r.signal(t, syscall.SIGSTOP)
}

// Continue ends a Stop; what clients sent meanwhile is carried out now.
func (r *Redis) Continue(t testing.TB) {
	t.Helper()
	r.signal(t, syscall.SIGCONT)
}

// Wipe empties the running server, which keeps its run id: data loss without a restart.
func (r *Redis) Wipe(t testing.TB) {
	t.Helper()
	if _, err := ask(t.Context(), r.Addr(), "FLUSHALL", "SYNC"); err != nil {
		t.Fatal(err)
	}
}

// Restart kills the server, if it still runs, and starts it on the same port with the data it had: a new run id.
func (r *Redis) Restart(t testing.TB) {
	t.Helper()
	r.process.kill()
	if err := r.start(); err != nil {
		t.Fatal(err)
	}
}

// RestartEmpty is Restart with nothing left: a lost disk, or a machine replaced.
func (r *Redis) RestartEmpty(t testing.TB) {
	t.Helper()
	r.process.kill()
	if err := os.RemoveAll(r.data()); err != nil {
		t.Fatal(err)
	}
	r.Restart(t)
}

func (r *Redis) signal(t testing.TB, sig syscall.Signal) {
	t.Helper()
	if err := r.process.signal(sig); err != nil {
		t.Fatal(err)
	}
}

// openRedis starts a server on a port that nobody else has.
func openRedis() (*Redis, error) {
	dir, err := os.MkdirTemp("", "seckill-redis-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for redis-server: %w", err)
	}
	r := &Redis{dir: dir}
	for range portAttempts {
		if r.port, err = freePort(); err != nil {
			break
		}
		if err = r.start(); !errors.Is(err, errExited) {
			break
		}
	}
	if err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

// start starts the server on its port and waits until it serves.
func (r *Redis) start() error {
	if err := os.MkdirAll(r.data(), 0o700); err != nil {
		return fmt.Errorf("make a folder for redis-server: %w", err)
	}
	p, err := startProcess(r.dir, "redis-server",
		"--bind", "127.0.0.1", "--port", strconv.Itoa(r.port), "--dir", r.data(),
		"--appendonly", "yes", "--save", "", "--maxmemory-policy", "noeviction")
	if err != nil {
		return err
	}
	r.process = p
	if err := r.awaitReady(); err != nil {
		p.kill()
		return fmt.Errorf("%w; its log ends:\n%s", err, p.logTail())
	}
	return nil
}

func (r *Redis) awaitReady() error {
	ctx, cancel := context.WithTimeout(context.Background(), readyWithin)
	defer cancel()
	poll := time.NewTicker(readyPoll)
	defer poll.Stop()
	for !r.ready(ctx) {
		select {
		case <-poll.C:
		case <-r.process.exited:
			return fmt.Errorf("redis-server on port %d: %w", r.port, errExited)
		case <-ctx.Done():
			return fmt.Errorf("redis-server on port %d was not ready within %v", r.port, readyWithin)
		}
	}
	return nil
}

// ready says whether this very process serves: somebody else's server may have been quicker to the port, and one that
// still loads its data answers INFO, but not PING.
func (r *Redis) ready(ctx context.Context) bool {
	info, err := ask(ctx, r.Addr(), "INFO", "server")
	if err != nil || !strings.Contains(info, fmt.Sprintf("process_id:%d\r\n", r.process.pid)) {
		return false
	}
	_, err = ask(ctx, r.Addr(), "PING")
	return err == nil
}

func (r *Redis) data() string { return filepath.Join(r.dir, "data") }

// close ends the server and removes its folder. It may be called before the server has started.
func (r *Redis) close() {
	if r.process != nil {
		r.process.kill()
	}
	_ = os.RemoveAll(r.dir) // a left-over temporary folder fails no test
}
