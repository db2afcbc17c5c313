package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seckill-dev/seckill/internal/testenv/process"
)

const (
	brokerReadyWithin = 3 * time.Minute       // an idle machine needs 3 s, one that was starved has needed a minute
	brokerPoll        = 50 * time.Millisecond // between two questions whether it is ready
	brokerNamesWithin = 30 * time.Second      // until the name of a new queue is on disk; idle, it writes them within three
	brokerEvalWithin  = 15 * time.Second      // one expression, with the start of the Erlang that asks
	brokerCookie      = "seckill-test"
	brokerUser        = "guest" // RabbitMQ's own
	brokerPassword    = "guest"
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

// brokerTLS are the settings of the encrypted port.
const brokerTLS = `
listeners.ssl.default = 127.0.0.1:%d
num_acceptors.ssl = 2
ssl_options.cacertfile = %s
ssl_options.certfile = %s
ssl_options.keyfile = %s
ssl_options.verify = verify_peer
ssl_options.fail_if_no_peer_cert = true
`

// RabbitMQ is a private rabbitmq-server: one node, no plugins. Its Erlang needs no epmd, the port mapper that every
// Erlang on a machine shares and that would be left behind: whoever talks to the node knows its port.
type RabbitMQ struct{ *machine }

// OpenRabbitMQ starts a server on ports that nobody else has. It takes seconds.
func OpenRabbitMQ(ctx context.Context, options Options) (*RabbitMQ, error) {
	m, err := newMachine("rabbitmq-server", options)
	if err != nil {
		return nil, err
	}
	r := &RabbitMQ{m}
	m.launch = r.start
	m.settled = r.awaitNames
	m.empty = func(context.Context) error { return m.emptyData() }
	if err := m.settle(ctx, r.choosePorts); err != nil {
		return nil, err
	}
	return r, nil
}

func (r *RabbitMQ) choosePorts() (err error) {
	r.id.NodePort, err = FreePort()
	return errors.Join(err, r.choosePort(), r.chooseSecurePort())
}

// User is who may log in, from this machine only.
func (r *RabbitMQ) User() string { return brokerUser }

// Password is that of User.
func (r *RabbitMQ) Password() string { return brokerPassword }

// URL is the address with credentials.
func (r *RabbitMQ) URL() string {
	return "amqp://" + brokerUser + ":" + brokerPassword + "@" + r.Addr() + "/"
}

// start starts the server on its ports and waits until it serves.
func (r *RabbitMQ) start(ctx context.Context) error {
	if err := r.prepare(); err != nil {
		return fmt.Errorf("prepare the folder of rabbitmq-server: %w", err)
	}
	command := process.Command{Args: []string{brokerProgram()}, Env: r.environment()}
	return r.run(command, func() error { return r.awaitReady(ctx) })
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
	settings := fmt.Appendf(nil, brokerSettings, r.id.Port)
	if r.tls != nil {
		settings = fmt.Appendf(settings, brokerTLS, r.id.SecurePort, r.tls.CAFile, r.tls.CertFile, r.tls.KeyFile)
	}
	return os.WriteFile(r.file("rabbitmq.conf"), settings, 0o600)
}

// environment lets the server find nothing but its own folder.
func (r *RabbitMQ) environment() []string {
	return append(os.Environ(),
		"HOME="+r.dir,
		"ERL_CRASH_DUMP="+r.file("erl_crash.dump"),
		"ERL_FLAGS=-start_epmd false", // for the Erlang that the server starts every minute in order to have an epmd
		"RUNNING_UNDER_SYSTEMD=true",  // Erlang replaces the shell, so that the process we bind to us is Erlang itself
		"RABBITMQ_CONF_ENV_FILE=/dev/null",
		"RABBITMQ_CONFIG_FILE="+r.file("rabbitmq.conf"),
		"RABBITMQ_ADVANCED_CONFIG_FILE="+r.file("advanced.config"),
		"RABBITMQ_ENABLED_PLUGINS_FILE="+r.file("plugins"),
		"RABBITMQ_NODENAME="+r.nodeName(),
		"RABBITMQ_DIST_PORT="+strconv.Itoa(r.id.NodePort),
		"RABBITMQ_MNESIA_BASE="+r.data(),
		"RABBITMQ_LOG_BASE="+r.file("log"),
		"RABBITMQ_LOGS=-",
		"RABBITMQ_PID_FILE="+r.file("pid"),
		"RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="+strings.Join(append(erlangArgs(r.id.NodePort),
			"-sname", r.nodeName(), "-kernel", "inet_dist_use_interface", "{127,0,0,1}"), " "),
	)
}

// erlangArgs make an Erlang node do without epmd: it is told the port of whomever it listens or talks as.
func erlangArgs(port int) []string {
	return []string{"-setcookie", brokerCookie, "-start_epmd", "false", "-erl_epmd_port", strconv.Itoa(port)}
}

func (r *RabbitMQ) nodeName() string { return fmt.Sprintf("seckill%d@localhost", r.id.NodePort) }

func (r *RabbitMQ) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, brokerReadyWithin)
	defer cancel()
	poll := time.NewTicker(brokerPoll)
	defer poll.Stop()
	for !r.ready(ctx) {
		select {
		case <-poll.C:
		case <-r.process.Exited():
			return fmt.Errorf("rabbitmq-server on port %d: %w", r.id.Port, process.ErrExited)
		case <-ctx.Done():
			return fmt.Errorf("rabbitmq-server on port %d was not ready within %v: %w", r.id.Port, brokerReadyWithin, context.Cause(ctx))
		}
	}
	return nil
}

// ready says whether this very server serves: a server's first frame names its node.
func (r *RabbitMQ) ready(ctx context.Context) bool {
	greeting, err := greetBroker(ctx, r.Addr())
	return err == nil && strings.Contains(greeting, fmt.Sprintf("seckill%d@", r.id.NodePort))
}

// awaitNames waits until the names of all quorum queues are on disk. RabbitMQ writes them up to three seconds after it has
// made a queue and confirmed messages in it (Ra keeps them in a dets table); killed before, it comes back with another,
// empty queue of that name that never gets a leader. That happens once in a broker's life, and no test is about it.
func (r *RabbitMQ) awaitNames() {
	ctx, cancel := context.WithTimeout(context.Background(), brokerNamesWithin)
	defer cancel()
	poll := time.NewTicker(brokerPoll)
	defer poll.Stop()
	for !r.hasNames() {
		select {
		case <-poll.C:
		case <-r.process.Exited():
			return
		case <-ctx.Done():
			return
		}
	}
}

// hasNames says whether every queue's folder is named in the table.
func (r *RabbitMQ) hasNames() bool {
	queues := filepath.Join(r.data(), r.nodeName(), "quorum", r.nodeName())
	names, err := os.ReadFile(filepath.Join(queues, "names.dets"))
	if err != nil {
		return true // no queue has been made
	}
	entries, err := os.ReadDir(queues)
	if err != nil {
		return true
	}
	return !slices.ContainsFunc(entries, func(e os.DirEntry) bool {
		return e.IsDir() && !bytes.Contains(names, []byte(e.Name()))
	})
}
