// Package stage holds what is measured: private servers, and the processes of each side, on one machine. Every side is a
// process of its own and runs alone beside the servers and the generator; whoever is measured next starts when the one
// before has ended. All of it ends with this process.
package stage

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/redis/go-redis/v9"

	"github.com/seckill-dev/seckill/internal/testenv/process"
	"github.com/seckill-dev/seckill/internal/testenv/server"
)

const (
	readyWithin = 30 * time.Second
	endWithin   = 20 * time.Second
	poll        = 10 * time.Millisecond
	logShown    = 2000 // how much of a log a failure quotes, in bytes
)

// GOGC is what the product sets unless it is told otherwise.
const GOGC = "400"

// redisDatabases is how many a Redis has unless told otherwise.
const redisDatabases = 16

// mariadbSettings give the private database the memory of a small real one; the tests' is made to be quick to start.
// Durability stays as it is.
func mariadbSettings() []string {
	return []string{
		"SET GLOBAL innodb_buffer_pool_size = 1073741824",
		"SET GLOBAL innodb_log_file_size = 1073741824",
	}
}

// brokerSettings give the log of the quorum queues RabbitMQ's own default size, which the tests' server has made smaller.
const brokerSettings = "[{ra, [{wal_max_size_bytes, 536870912}]}].\n"

// diskLeast is the logs of the two servers, more than a gigabyte together, and what is bought.
const diskLeast = 4_000_000_000

// Stage is the servers and where everything is.
type Stage struct {
	Redis    *server.Redis
	RabbitMQ *server.RabbitMQ
	MariaDB  *server.MariaDB

	dir string
	// taken are the databases of Redis that somebody uses.
	taken [redisDatabases]bool
	// installations is how many of the product have been made.
	installations int
}

// Open starts the servers in a temporary folder.
func Open(ctx context.Context) (stage *Stage, err error) {
	var missing []error
	for _, program := range server.Missing() {
		missing = append(missing, program)
	}
	if err := errors.Join(missing...); err != nil {
		return nil, err
	}
	s := &Stage{}
	if s.dir, err = os.MkdirTemp("", "seckill-bench-"); err != nil {
		return nil, fmt.Errorf("make a folder: %w", err)
	}
	defer func() {
		if err != nil {
			s.Close(false)
		}
	}()
	if err := s.NeedDisk(diskLeast); err != nil {
		return nil, err
	}
	broker := s.path("rabbitmq")
	if err := errors.Join(os.Mkdir(broker, 0o700),
		os.WriteFile(filepath.Join(broker, "advanced.config"), []byte(brokerSettings), 0o600)); err != nil {
		return nil, fmt.Errorf("prepare the broker: %w", err)
	}
	failures := make([]error, 3)
	var all sync.WaitGroup
	all.Go(func() { s.Redis, failures[0] = server.OpenRedis(ctx, server.Options{Dir: s.path("redis")}) })
	all.Go(func() { s.RabbitMQ, failures[1] = server.OpenRabbitMQ(ctx, server.Options{Dir: broker}) })
	all.Go(func() { s.MariaDB, failures[2] = server.OpenMariaDB(ctx, server.Options{Dir: s.path("mariadb")}) })
	all.Wait()
	if err := errors.Join(failures...); err != nil {
		return nil, err
	}
	for _, setting := range mariadbSettings() {
		if err := server.AskMariaDB(ctx, s.MariaDB.DSN(), setting); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Close ends the servers and removes everything, unless it is to be kept.
func (s *Stage) Close(keep bool) {
	if s.Redis != nil {
		s.Redis.Close()
	}
	if s.RabbitMQ != nil {
		s.RabbitMQ.Close()
	}
	if s.MariaDB != nil {
		s.MariaDB.Close()
	}
	if keep {
		return
	}
	_ = os.RemoveAll(s.dir) // a left-over temporary folder harms nobody
}

func (s *Stage) path(name string) string { return filepath.Join(s.dir, name) }

// TakeDatabase is an empty database of Redis that nobody else uses.
func (s *Stage) TakeDatabase(ctx context.Context) (int, error) {
	for n := range s.taken {
		if !s.taken[n] {
			s.taken[n] = true
			return n, s.emptyDatabase(ctx, n)
		}
	}
	return 0, errors.New("all databases of redis are taken")
}

// ReturnDatabase lets others have it.
func (s *Stage) ReturnDatabase(n int) { s.taken[n] = false }

// OpenRedis opens a database of Redis.
func (s *Stage) OpenRedis(database int) *redis.Client {
	return redis.NewClient(&redis.Options{Addr: s.Redis.Addr(), DB: database})
}

func (s *Stage) emptyDatabase(ctx context.Context, n int) error {
	client := s.OpenRedis(n)
	return errors.Join(client.FlushDB(ctx).Err(), client.Close())
}

// OpenSQL opens a database, which is made if it is not there.
func (s *Stage) OpenSQL(ctx context.Context, database string) (*sql.DB, error) {
	if err := s.MariaDB.EnsureDatabase(ctx, database); err != nil {
		return nil, err
	}
	config, err := mysql.ParseDSN(s.DSN(database))
	if err != nil {
		return nil, err
	}
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector), nil
}

// DSN names a database, with its password.
func (s *Stage) DSN(database string) string { return s.MariaDB.DSN() + database }

// Build builds a program of this module, with the flags of the product's release, and returns its path.
func (s *Stage) Build(ctx context.Context, folder string) (string, error) {
	program := s.path("bin-" + filepath.Base(folder))
	var output bytes.Buffer
	p, err := process.Start(process.Command{
		Args:   []string{"go", "build", "-trimpath", "-tags", "nomsgpack", "-ldflags", "-s -w", "-o", program, "./" + folder},
		Env:    append(os.Environ(), "CGO_ENABLED=0"),
		Output: &output,
	})
	if err != nil {
		return "", err
	}
	select {
	case <-p.Exited():
	case <-ctx.Done():
		p.Kill()
	}
	if err := p.Ending(); err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", folder, err, output.String())
	}
	return program, nil
}

// WriteSettings writes what a program is told in a file that nobody else may read, and returns its path.
func (s *Stage) WriteSettings(name string, settings any) (string, error) {
	text, err := json.Marshal(settings)
	if err != nil {
		return "", err
	}
	file := s.path(name + ".json")
	return file, os.WriteFile(file, text, 0o600)
}

// Dir is the folder of everything.
func (s *Stage) Dir() string { return s.dir }

// Process is a running side, or a role of the product.
type Process struct {
	*process.Process

	name  string
	log   string
	admin string // of a role of the product: where operators are served
}

// Start starts a program, whose output goes to a file.
func (s *Stage) Start(name string, args ...string) (*Process, error) {
	p := &Process{name: name, log: s.path(name + ".log")}
	output, err := os.OpenFile(p.log, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the log of %s: %w", name, err)
	}
	defer output.Close() // the child has its own copy
	if p.Process, err = process.Start(process.Command{Args: args, Env: environment(), Output: output}); err != nil {
		return nil, err
	}
	return p, nil
}

// environment is that of all sides: each collects its garbage as seldom as the product does by itself.
func environment() []string {
	if os.Getenv("GOGC") != "" {
		return nil
	}
	return append(os.Environ(), "GOGC="+GOGC)
}

// Run runs a program to its end and returns what it has printed.
func (s *Stage) Run(ctx context.Context, name string, args ...string) (string, error) {
	p, err := s.Start(name, args...)
	if err != nil {
		return "", err
	}
	select {
	case <-p.Exited():
	case <-ctx.Done():
		p.Kill()
	}
	if err := p.Ending(); err != nil {
		return "", p.failed(err)
	}
	text, err := os.ReadFile(p.log)
	return string(text), err
}

func (p *Process) failed(err error) error {
	text, _ := os.ReadFile(p.log) // empty says enough
	return fmt.Errorf("%s: %w; its log ends:\n%s", p.name, err, text[max(0, len(text)-logShown):])
}

// AwaitOK returns when a page answers with a good status.
func (p *Process) AwaitOK(ctx context.Context, url string) error {
	err := await(ctx, readyWithin, poll, func(ctx context.Context) (bool, error) {
		if !p.Running() {
			return false, process.ErrExited
		}
		return isOK(ctx, url), nil
	})
	if err != nil {
		return p.failed(fmt.Errorf("is not ready: %w", err))
	}
	return nil
}

// End asks the process to end, and kills it if it does not.
func (p *Process) End(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endWithin)
	defer cancel()
	p.Terminate(ctx)
}

func isOK(ctx context.Context, url string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	return response.StatusCode < http.StatusMultipleChoices
}

// await polls until it is done, it fails, or the time is over.
func await(ctx context.Context, within, every time.Duration, done func(context.Context) (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		ok, err := done(ctx)
		if ok || err != nil {
			return err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			if cause := context.Cause(ctx); !errors.Is(cause, context.DeadlineExceeded) {
				return cause
			}
			return fmt.Errorf("not within %v: %w", within, context.DeadlineExceeded)
		}
	}
}

// FreeAddress is an address of this machine that nobody listens on.
func FreeAddress() (string, error) {
	port, err := server.FreePort()
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), err
}

// RedisPID is the process of the Redis server.
func (s *Stage) RedisPID(ctx context.Context) (int, error) {
	pid, err := s.redisInfo(ctx, "server", "process_id")
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(pid)
}

func (s *Stage) redisInfo(ctx context.Context, section, name string) (string, error) {
	info, err := server.Ask(ctx, s.Redis.Addr(), "INFO", section)
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(info) {
		if value, found := strings.CutPrefix(line, name+":"); found {
			return strings.TrimSpace(value), nil
		}
	}
	return "", fmt.Errorf("redis does not say %s", name)
}
