package app_test

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/app"
	"github.com/seckill-dev/seckill/internal/testenv"
)

// fleet is the distributed system: real servers, and processes of each role that share them.
type fleet struct {
	victim // the first api, which operates and is what the crowd talks to

	redis  *testenv.Redis
	rabbit *testenv.RabbitMQ
	shards []*testenv.MariaDB

	file  string
	roles map[string]*fleetProcess
}

// fleetProcess is one process that is started again whenever it ends, as a supervisor would.
type fleetProcess struct {
	listen, admin string

	mu     sync.Mutex
	child  *exec.Cmd
	retire bool
	gone   chan struct{}
}

const configVariable = "SECKILL_TEST_CONFIG"

// startFleet starts every server and two processes of each role.
func startFleet(t *testing.T) *fleet {
	t.Helper()
	f := &fleet{
		redis: testenv.StartRedis(t), rabbit: testenv.StartRabbitMQ(t),
		shards: []*testenv.MariaDB{testenv.StartMariaDB(t), testenv.StartMariaDB(t)},
		roles:  map[string]*fleetProcess{},
	}
	f.victim = victim{t: t, config: testConfig(t)}
	f.config.Listen, f.config.AdminListen = freeAddress(t), freeAddress(t)
	f.writeConfig()
	config, err := app.Load(app.LoadOptions{File: f.file})
	if err != nil {
		t.Fatal(err)
	}
	if err := app.Migrate(t.Context(), config, slog.New(slog.NewTextHandler(t.Output(), nil))); err != nil {
		t.Fatal(err)
	}
	for _, role := range []string{"api", "worker", "keeper"} {
		for n := range 2 {
			f.launch(role, n)
		}
	}
	f.await("the first api serves", func() bool { return f.serves() })
	return f
}

func (f *fleet) writeConfig() {
	f.t.Helper()
	host, port, err := net.SplitHostPort(f.rabbit.Addr())
	if err != nil {
		f.t.Fatal(err)
	}
	var text strings.Builder
	fmt.Fprintf(&text, "backend: services\ndata: %s\nlimits: {per_user_per_second: 1000, per_user_burst: 1000}\nlog: {level: warn}\n", f.config.Data)
	fmt.Fprintf(&text, "redis: {addresses: [%q]}\n", f.redis.Addr())
	fmt.Fprintf(&text, "rabbitmq: {addresses: [%q], login: {username: guest, password: guest}}\nshards:\n", net.JoinHostPort(host, port))
	for _, shard := range f.shards {
		dsn := shard.Database(f.t)
		database := dsn[strings.LastIndex(dsn, "/")+1:]
		database, _, _ = strings.Cut(database, "?")
		user, _, _ := strings.Cut(dsn, "@")
		user, _, _ = strings.Cut(user, ":")
		fmt.Fprintf(&text, "  - {address: %q, database: %s, login: {username: %s, password: %q}}\n",
			shard.Addr(), database, user, shard.Password())
	}
	f.file = filepath.Join(f.t.TempDir(), "seckill.yaml")
	if err := os.WriteFile(f.file, []byte(text.String()), 0o600); err != nil {
		f.t.Fatal(err)
	}
}

// launch starts a process and keeps it running.
func (f *fleet) launch(role string, n int) {
	f.t.Helper()
	name := fmt.Sprintf("%s-%d", role, n)
	p := &fleetProcess{listen: freeAddress(f.t), admin: freeAddress(f.t), gone: make(chan struct{})}
	if name == "api-0" {
		p.listen, p.admin = f.config.Listen, f.config.AdminListen
	}
	f.roles[name] = p
	f.t.Cleanup(p.end)
	environment := append(os.Environ(), cutVariable+"="+never, configVariable+"="+f.file, planVariable+"="+role,
		listenVariable+"="+p.listen, adminVariable+"="+p.admin)
	go p.supervise(environment, f.t.Output())
}

func (p *fleetProcess) supervise(environment []string, output io.Writer) {
	defer close(p.gone)
	for {
		child := exec.Command(os.Args[0]) //nolint:noctx // it ends by kill -9, that is the point
		child.Env, child.Stderr = environment, output
		child.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		if !p.begin(child) {
			return
		}
		_ = child.Wait()
		time.Sleep(50 * time.Millisecond) //nolint:forbidigo // a supervisor's pause, not a wait for a state
	}
}

// begin starts the child unless the process is to end.
func (p *fleetProcess) begin(child *exec.Cmd) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.retire || child.Start() != nil {
		return false
	}
	p.child = child
	return true
}

// end is kill -9 for good.
func (p *fleetProcess) end() {
	p.mu.Lock()
	p.retire = true
	if p.child != nil {
		_ = p.child.Process.Kill()
	}
	p.mu.Unlock()
	<-p.gone
}

func (f *fleet) await(what string, ok func() bool) {
	f.t.Helper()
	deadline := time.After(patience)
	for !ok() {
		select {
		case <-time.After(20 * time.Millisecond):
		case <-deadline:
			f.t.Fatalf("never happened: %s", what)
		}
	}
}

// sell makes and preloads a sale of one item, and sends a crowd.
func (f *fleet) sell(units int64, shoppers int) <-chan crowdResult {
	f.t.Helper()
	f.create(units)
	if err := f.preload(); err != nil {
		f.t.Fatal(err)
	}
	return f.crowd(shoppers)
}

func TestFleet(t *testing.T) {
	t.Parallel()
	t.Run("sells out on real servers, and everything adds up", func(t *testing.T) {
		t.Parallel()
		f := startFleet(t)
		f.judge(<-f.sell(doomedUnits, 2*doomedUnits), doomedUnits)
	})
}
