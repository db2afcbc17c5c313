package testenv

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	brokerReadyWithin = 60 * time.Second      // an idle machine needs 3 s, a busy one has needed 10
	brokerPoll        = 50 * time.Millisecond // between two questions whether it is ready
	brokerEvalWithin  = 15 * time.Second      // one expression, with the start of the Erlang that asks
	brokerCookie      = "seckill-test"
)

// brokerScripts is where Debian keeps the script that its wrapper in PATH calls. The wrapper insists on root or the user
// rabbitmq and writes to system folders; the script runs as anybody.
const brokerScripts = "/usr/lib/rabbitmq/bin"

// brokerSettings keep a private server small and let no busy machine block it.
const brokerSettings = `
listeners.tcp.default = 127.0.0.1:%d
num_acceptors.tcp = 2
disk_free_limit.absolute = 1MB
raft.wal_max_size_bytes = 33554432
log.console.level = warning
`

// RabbitMQ is a private rabbitmq-server: one node, no plugins. Its Erlang needs no epmd, the port mapper that every
// Erlang on a machine shares and that would be left behind: whoever talks to the node knows its port.
type RabbitMQ struct {
	port    int // AMQP
	node    int // Erlang distribution
	dir     string
	process *process
}

// StartRabbitMQ starts a server for this test alone, which may kill, stop, block and empty it. It ends with the test and
// takes seconds to start: share Env.RabbitMQ where nothing is broken.
func StartRabbitMQ(t testing.TB) *RabbitMQ {
	t.Helper()
	r, err := openRabbitMQ()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.close)
	return r
}

// Addr is where the server listens. It stays the same over restarts.
func (r *RabbitMQ) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(r.port)) }

// URL is the address with credentials.
func (r *RabbitMQ) URL() string { return "amqp://guest:guest@" + r.Addr() + "/" }

// Kill ends the server as kill -9 does. What it had confirmed is in its folder.
func (r *RabbitMQ) Kill(t testing.TB) {
	t.Helper()
	r.process.kill()
}

// Stop freezes the server (SIGSTOP): connections stay open and nothing answers, as behind a cut network.
func (r *RabbitMQ) Stop(t testing.TB) {
	t.Helper()
	r.signal(t, syscall.SIGSTOP)
}

// Continue ends a Stop; what clients sent meanwhile is carried out now.
func (r *RabbitMQ) Continue(t testing.TB) {
	t.Helper()
	r.signal(t, syscall.SIGCONT)
}

// Restart kills the server, if it still runs, and starts it on the same port with the data it had.
func (r *RabbitMQ) Restart(t testing.TB) {
	t.Helper()
	r.process.kill()
	if err := r.start(); err != nil {
		t.Fatal(err)
	}
}

// RestartEmpty is Restart with nothing left, the queues included.
func (r *RabbitMQ) RestartEmpty(t testing.TB) {
	t.Helper()
	r.process.kill()
	if err := os.RemoveAll(r.data()); err != nil {
		t.Fatal(err)
	}
	r.Restart(t)
}

// BlockPublishers raises the memory alarm: the server reads no more from connections that publish.
func (r *RabbitMQ) BlockPublishers(t testing.TB) {
	t.Helper()
	r.eval(t, "rabbit_alarm:set_alarm({{resource_limit, memory, node()}, []}).")
}

// UnblockPublishers ends the alarm of BlockPublishers.
func (r *RabbitMQ) UnblockPublishers(t testing.TB) {
	t.Helper()
	r.eval(t, "rabbit_alarm:clear_alarm({resource_limit, memory, node()}).")
}

// DeleteQueue deletes a queue with all it holds, as an operator might by mistake.
func (r *RabbitMQ) DeleteQueue(t testing.TB, name string) {
	t.Helper()
	r.eval(t, fmt.Sprintf(`{ok, Q} = rabbit_amqqueue:lookup(rabbit_misc:r(<<"/">>, queue, <<%q>>)),
		{ok, _} = rabbit_amqqueue:delete(Q, false, false, <<"testenv">>).`, name))
}

func (r *RabbitMQ) signal(t testing.TB, sig syscall.Signal) {
	t.Helper()
	if err := r.process.signal(sig); err != nil {
		t.Fatal(err)
	}
}

// openRabbitMQ starts a server on ports that nobody else has.
func openRabbitMQ() (*RabbitMQ, error) {
	dir, err := os.MkdirTemp("", "seckill-rabbitmq-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for rabbitmq-server: %w", err)
	}
	r := &RabbitMQ{dir: dir}
	for range portAttempts {
		if r.port, r.node, err = twoFreePorts(); err != nil {
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

func twoFreePorts() (first, second int, err error) {
	if first, err = freePort(); err != nil {
		return 0, 0, err
	}
	second, err = freePort()
	return first, second, err
}

// start starts the server on its ports and waits until it serves.
func (r *RabbitMQ) start() error {
	if err := r.prepare(); err != nil {
		return fmt.Errorf("prepare the folder of rabbitmq-server: %w", err)
	}
	p, err := startProcessWith(r.environment(), r.dir, brokerProgram())
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

func brokerProgram() string {
	if script := filepath.Join(brokerScripts, "rabbitmq-server"); isFile(script) {
		return script
	}
	return "rabbitmq-server"
}

func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}

func (r *RabbitMQ) prepare() error {
	if err := os.MkdirAll(r.data(), 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(r.file("plugins"), []byte("[].\n"), 0o600); err != nil {
		return err
	}
	return os.WriteFile(r.file("rabbitmq.conf"), fmt.Appendf(nil, brokerSettings, r.port), 0o600)
}

// environment lets the server find nothing but its own folder.
func (r *RabbitMQ) environment() []string {
	return append(os.Environ(),
		"HOME="+r.dir,
		"RUNNING_UNDER_SYSTEMD=true", // Erlang replaces the shell, so that the process we bind to us is Erlang itself
		"RABBITMQ_CONF_ENV_FILE=/dev/null",
		"RABBITMQ_CONFIG_FILE="+r.file("rabbitmq.conf"),
		"RABBITMQ_ADVANCED_CONFIG_FILE="+r.file("advanced.config"),
		"RABBITMQ_ENABLED_PLUGINS_FILE="+r.file("plugins"),
		"RABBITMQ_NODENAME="+r.nodeName(),
		"RABBITMQ_DIST_PORT="+strconv.Itoa(r.node),
		"RABBITMQ_MNESIA_BASE="+r.data(),
		"RABBITMQ_LOG_BASE="+r.file("log"),
		"RABBITMQ_LOGS=-",
		"RABBITMQ_PID_FILE="+r.file("pid"),
		"RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="+strings.Join(append(erlangArgs(r.node),
			"-sname", r.nodeName(), "-kernel", "inet_dist_use_interface", "{127,0,0,1}"), " "),
	)
}

// erlangArgs make an Erlang node do without epmd: it is told the port of whomever it listens or talks as.
func erlangArgs(port int) []string {
	return []string{"-setcookie", brokerCookie, "-start_epmd", "false", "-erl_epmd_port", strconv.Itoa(port)}
}

func (r *RabbitMQ) nodeName() string { return fmt.Sprintf("seckill%d@localhost", r.node) }

func (r *RabbitMQ) file(name string) string { return filepath.Join(r.dir, name) }

func (r *RabbitMQ) data() string { return r.file("data") }

func (r *RabbitMQ) awaitReady() error {
	ctx, cancel := context.WithTimeout(context.Background(), brokerReadyWithin)
	defer cancel()
	poll := time.NewTicker(brokerPoll)
	defer poll.Stop()
	for !r.ready(ctx) {
		select {
		case <-poll.C:
		case <-r.process.exited:
			return fmt.Errorf("rabbitmq-server on port %d: %w", r.port, errExited)
		case <-ctx.Done():
			return fmt.Errorf("rabbitmq-server on port %d was not ready within %v", r.port, brokerReadyWithin)
		}
	}
	return nil
}

// ready says whether this very server serves: a server's first frame names its node.
func (r *RabbitMQ) ready(ctx context.Context) bool {
	greeting, err := greetBroker(ctx, r.Addr())
	return err == nil && strings.Contains(greeting, fmt.Sprintf("seckill%d@", r.node))
}

// greetBroker opens an AMQP connection far enough to hear who serves there.
func greetBroker(ctx context.Context, addr string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return "", err
		}
	}
	if _, err := conn.Write([]byte("AMQP\x00\x00\x09\x01")); err != nil {
		return "", err
	}
	greeting := make([]byte, 4096)
	n, err := conn.Read(greeting)
	return string(greeting[:n]), err
}

// checkBroker says whether a server answers at an AMQP URL.
func checkBroker(address string) error {
	parsed, err := url.Parse(address)
	if err != nil {
		return errors.New("not a URL") // the reason would quote the password
	}
	host := parsed.Host
	if parsed.Port() == "" {
		host = net.JoinHostPort(parsed.Hostname(), "5672")
	}
	_, err = greetBroker(context.Background(), host)
	return err
}

// eval has the server's own Erlang evaluate an expression, as rabbitmqctl eval does in ten times the time.
func (r *RabbitMQ) eval(t testing.TB, expression string) {
	t.Helper()
	const ask = `[N, S] = init:get_plain_arguments(), {ok, T, _} = erl_scan:string(S), {ok, E} = erl_parse:parse_exprs(T),
		case rpc:call(list_to_atom(N), erl_eval, exprs, [E, []], 10000) of
			{value, _, _} -> halt(0); Error -> io:format("~p", [Error]), halt(1) end.`
	ctx, cancel := context.WithTimeout(t.Context(), brokerEvalWithin)
	defer cancel()
	args := append(erlangArgs(r.node), "-sname", fmt.Sprintf("ask%d@localhost", time.Now().UnixNano()),
		"-dist_listen", "false", "-noinput", "-eval", ask, "-extra", r.nodeName(), expression)
	cmd := exec.CommandContext(ctx, "erl", args...)
	cmd.Dir = r.dir
	cmd.Env = append(os.Environ(), "HOME="+r.dir)
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("rabbitmq-server did not evaluate %s: %v: %s", expression, err, said)
	}
}

// close ends the server and removes its folder. It may be called before the server has started.
func (r *RabbitMQ) close() {
	if r.process != nil {
		r.process.kill()
	}
	_ = os.RemoveAll(r.dir) // a left-over temporary folder fails no test
}
