package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seckill-dev/seckill/internal/testenv/process"
)

const (
	redisReadyWithin = 30 * time.Second     // from start to the first answer; an idle machine needs 50 ms
	redisPoll        = 5 * time.Millisecond // between two questions whether it is ready
	answerWithin     = 2 * time.Second      // one command
)

// Redis is a private redis-server: durable (append-only file) and never evicting, as a sale needs it.
type Redis struct {
	*machine

	master string // its address while this is a replica
}

// OpenRedis starts a server on a port that nobody else has.
func OpenRedis(ctx context.Context, options Options) (*Redis, error) {
	m, err := newMachine("redis-server", options)
	if err != nil {
		return nil, err
	}
	r := &Redis{machine: m}
	m.launch = r.start
	m.empty = func(context.Context) error { return m.emptyData() }
	if err := m.settle(ctx, func() error { return errors.Join(m.choosePort(), m.chooseSecurePort()) }); err != nil {
		return nil, err
	}
	return r, nil
}

// Wipe empties the running server, which keeps its run id: data loss without a restart.
func (r *Redis) Wipe(ctx context.Context) error {
	_, err := Ask(ctx, r.Addr(), "FLUSHALL", "SYNC")
	return err
}

// start starts the server on its port and waits until it serves.
func (r *Redis) start(ctx context.Context) error {
	if err := os.MkdirAll(r.data(), 0o700); err != nil {
		return fmt.Errorf("make a folder for redis-server: %w", err)
	}
	args := []string{
		"redis-server", "--bind", "127.0.0.1", "--port", strconv.Itoa(r.id.Port), "--dir", r.data(),
		"--appendonly", "yes", "--save", "", "--maxmemory-policy", "noeviction",
		"--repl-diskless-sync-delay", "0", // nobody else will join
	}
	if r.tls != nil {
		args = append(args, "--tls-port", strconv.Itoa(r.id.SecurePort), "--tls-ca-cert-file", r.tls.CAFile,
			"--tls-cert-file", r.tls.CertFile, "--tls-key-file", r.tls.KeyFile)
	}
	if r.master != "" {
		host, port, err := net.SplitHostPort(r.master)
		if err != nil {
			return fmt.Errorf("address of the master: %w", err)
		}
		args = append(args, "--replicaof", host, port)
	}
	return r.run(process.Command{Args: args}, func() error { return r.await(ctx, "ready", r.ready) })
}

// await polls the running server until ok says yes.
func (r *Redis) await(ctx context.Context, what string, ok func(context.Context) bool) error {
	ctx, cancel := context.WithTimeout(ctx, redisReadyWithin)
	defer cancel()
	poll := time.NewTicker(redisPoll)
	defer poll.Stop()
	for !ok(ctx) {
		select {
		case <-poll.C:
		case <-r.process.Exited():
			return fmt.Errorf("redis-server on port %d: %w", r.id.Port, process.ErrExited)
		case <-ctx.Done():
			return fmt.Errorf("redis-server on port %d was not %s within %v: %w", r.id.Port, what, redisReadyWithin, context.Cause(ctx))
		}
	}
	return nil
}

// ready says whether this very process serves: somebody else's server may have been quicker to the port, and one that
// still loads its data answers INFO, but not PING.
func (r *Redis) ready(ctx context.Context) bool {
	if !r.says(ctx, "server", fmt.Sprintf("process_id:%d", r.process.PID())) {
		return false
	}
	_, err := Ask(ctx, r.Addr(), "PING")
	return err == nil
}

// says tells whether a section of INFO has all these lines.
func (r *Redis) says(ctx context.Context, section string, lines ...string) bool {
	info, err := Ask(ctx, r.Addr(), "INFO", section)
	return err == nil && !slices.ContainsFunc(lines, func(line string) bool { return !strings.Contains(info, line+"\r\n") })
}
