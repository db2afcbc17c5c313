// Package testenv gives tests real servers: child processes on free ports with folders of their own, stopped whatever
// happens to the test.
//
//	var env testenv.Env
//
//	func TestMain(m *testing.M) { os.Exit(env.Main(m)) }
//
//	func TestReserve(t *testing.T) {
//		addr := env.Redis(t)              // one server per package: choose random item ids, never flush
//		url := env.RabbitMQ(t)            // likewise: choose a random prefix for queues
//		dsn := env.MariaDB(t)             // a fresh database on one server per package
//		doomed := testenv.StartRedis(t)   // one of its own for a test that kills, stops or empties it
//	}
//
// A server that is not installed fails the test with a sentence that says how to get it: a skipped test shows nothing.
// Only tests may import this package; server, process and fleet beside it do the work and know nothing of tests.
package testenv

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"syscall"
	"testing"

	"go.uber.org/goleak"

	"github.com/seckill-dev/seckill/internal/testenv/server"
)

// AddrRedis is the environment variable that names a running Redis (host:port) to share instead of starting one.
// Tests write to it under random keys and leave them there.
const AddrRedis = "SECKILL_TEST_REDIS"

// URLRabbitMQ is the environment variable that names a running RabbitMQ (amqp://user:password@host:port/vhost) to share
// instead of starting one. Tests delete the queues they declare there.
const URLRabbitMQ = "SECKILL_TEST_RABBITMQ"

// Env is the servers that the tests of one package share. The zero value is ready; each server starts on first use.
type Env struct {
	redis    shared
	rabbitmq shared
	mariadb  sharedMariaDB
}

// shared is a server that is started at most once; a failed start is remembered, so every test reports it at once.
type shared struct {
	once sync.Once
	addr string
	err  error
	stop func()
}

// FreeAddr returns an address of the loopback interface for something that starts there later, or again: port 0 would give
// it a port that the system may meanwhile give to anybody's outgoing connection.
func FreeAddr(t testing.TB) string {
	t.Helper()
	port, err := server.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
}

// Main runs a package's tests, stops the servers they shared and returns the exit code. An interrupt stops them too. Tests
// that leave goroutines behind have failed; those that somebody else's code cannot end are named in ignored.
func (e *Env) Main(m Runner, ignored ...goleak.Option) int {
	return Leakless(served{e, m}, ignored...).Run()
}

// served are tests that share servers.
type served struct {
	env   *Env
	tests Runner
}

func (s served) Run() int {
	defer s.env.stopOnSignal()()
	defer s.env.stop()
	return s.tests.Run()
}

// Redis returns the address of the package's Redis. Tests share it: they keep apart by random item ids and must not
// flush or stop it; see StartRedis for that.
func (e *Env) Redis(t testing.TB) string {
	t.Helper()
	e.redis.once.Do(e.redis.openRedis)
	if e.redis.err != nil {
		t.Fatal(e.redis.err)
	}
	return e.redis.addr
}

// RabbitMQ returns the URL of the package's RabbitMQ. Tests share it: they keep apart by random prefixes and must not
// stop or block it; see StartRabbitMQ for that.
func (e *Env) RabbitMQ(t testing.TB) string {
	t.Helper()
	e.rabbitmq.once.Do(e.rabbitmq.openRabbitMQ)
	if e.rabbitmq.err != nil {
		t.Fatal(e.rabbitmq.err)
	}
	return e.rabbitmq.addr
}

func (s *shared) openRabbitMQ() {
	if s.addr = os.Getenv(URLRabbitMQ); s.addr != "" {
		if err := server.CheckRabbitMQ(context.Background(), s.addr); err != nil {
			s.err = fmt.Errorf("%s names a server that does not answer: %w", URLRabbitMQ, err)
		}
		return
	}
	r, err := server.OpenRabbitMQ(context.Background(), server.Options{})
	if err != nil {
		s.err = err
		return
	}
	s.addr, s.stop = r.URL(), r.Close
}

func (s *shared) openRedis() {
	if s.addr = os.Getenv(AddrRedis); s.addr != "" {
		if _, err := server.Ask(context.Background(), s.addr, "PING"); err != nil {
			s.err = fmt.Errorf("%s names a server that does not answer: %w", AddrRedis, err)
		}
		return
	}
	r, err := server.OpenRedis(context.Background(), server.Options{})
	if err != nil {
		s.err = err
		return
	}
	s.addr, s.stop = r.Addr(), r.Close
}

func (e *Env) stop() {
	e.mariadb.end()
	// Taking the once closes the door: a server that starts after this would be left behind.
	for _, s := range []*shared{&e.redis, &e.rabbitmq} {
		s.once.Do(func() {})
		if s.stop != nil {
			s.stop()
		}
	}
}

// stopOnSignal stops the servers before an interrupt ends the tests. They live in process groups of their own, so the
// terminal's Ctrl-C does not reach them.
func (e *Env) stopOnSignal() (forget func()) {
	caught := make(chan os.Signal, 1)
	over := make(chan struct{})
	signal.Notify(caught, os.Interrupt, syscall.SIGTERM)
	go func() {
		select {
		case <-over:
		case sig := <-caught:
			e.stop()
			signal.Reset(os.Interrupt, syscall.SIGTERM)
			if number, ok := sig.(syscall.Signal); ok {
				_ = syscall.Kill(os.Getpid(), number) // end as the sender expects
			}
		}
	}()
	return func() {
		signal.Stop(caught)
		close(over)
	}
}
