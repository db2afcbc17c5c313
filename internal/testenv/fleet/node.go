package fleet

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"time"

	"github.com/seckill-dev/seckill/internal/testenv/process"
	"github.com/seckill-dev/seckill/internal/testenv/server"
)

const (
	readyPoll   = 20 * time.Millisecond // between two questions whether a node is ready
	readyWithin = 2 * time.Second       // one question
)

// Node is one process of a role.
type Node struct {
	Role  string
	Index int
	// Config is the configuration file, Listen where it serves shoppers, Admin operators, health and metrics.
	Config string
	Listen string
	Admin  string
	// Shops is where the apis serve shoppers; a sandbox tells one of them of payments.
	Shops []string

	run *supervision
}

func (f *Fleet) newNode(role string, index int) (*Node, error) {
	n := &Node{Role: role, Index: index, Config: f.File()}
	if (role == API || role == Up) && index == 0 {
		n.Listen, n.Admin = f.config.Listen, f.config.AdminListen
	}
	for _, address := range []*string{&n.Listen, &n.Admin} {
		if *address != "" {
			if err := isFree(*address); err != nil {
				return nil, err
			}
			continue
		}
		port, err := server.FreePort()
		if err != nil {
			return nil, err
		}
		*address = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	}
	if role == Sandbox {
		for _, api := range f.Nodes[API] { // the others are made first
			n.Shops = append(n.Shops, api.Listen)
		}
	}
	command := f.config.Command(*n)
	n.run = newSupervision(process.Command{Args: command.Args, Env: command.Env}, f.log(n.Name()), func(what string) { f.config.Notice(n.Name(), what) })
	if f.config.Output != nil {
		n.run.command.Output = f.config.Output(n.Name())
	}
	return n, nil
}

// isFree says at once what the log of the node would say again and again.
func isFree(address string) error {
	listener, err := net.Listen("tcp", address) //nolint:noctx // it does not wait
	if err != nil {
		return fmt.Errorf("the first api: %w; choose another address", err)
	}
	return listener.Close()
}

// log is the file of a node's output.
func (f *Fleet) log(name string) string { return filepath.Join(f.dir, name+".log") }

// Name is the role and the number among its like: api-0.
func (n *Node) Name() string { return fmt.Sprintf("%s-%d", n.Role, n.Index) }

// Addr is where the node serves: shoppers, unless it is a worker or a keeper.
func (n *Node) Addr() string {
	if n.Role == Worker || n.Role == Keeper {
		return n.Admin
	}
	return n.Listen
}

// health is where the node says that it is ready. A sandbox is as soon as it lives.
func (n *Node) health() string {
	if n.Role == Sandbox {
		return "http://" + n.Addr() + "/livez"
	}
	return "http://" + n.Addr() + "/readyz"
}

// IsUp says whether the node's process runs.
func (n *Node) IsUp() bool {
	p := n.run.current()
	return p != nil && p.Running()
}

// Kill is kill -9. The node is started again.
func (n *Node) Kill() { n.run.kill() }

// Stop freezes the node (SIGSTOP).
func (n *Node) Stop() error { return n.run.do((*process.Process).Stop) }

// Continue ends a Stop.
func (n *Node) Continue() error { return n.run.do((*process.Process).Continue) }

// Restart asks the node to end, kills it when ctx is over, and returns when its successor is ready.
func (n *Node) Restart(ctx context.Context) error {
	n.run.terminate(ctx)
	return n.awaitReady(ctx, func() bool { return false })
}

// awaitReady asks the node's health endpoint until it says yes, or there is no hope that it will.
func (n *Node) awaitReady(ctx context.Context, isHopeless func() bool) error {
	poll := time.NewTicker(readyPoll)
	defer poll.Stop()
	for {
		answer := n.ready(ctx)
		if answer == nil {
			return nil
		}
		if isHopeless() {
			return fmt.Errorf("%s does not run%s", n.Name(), n.run.logTail())
		}
		select {
		case <-poll.C:
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w%s", n.Name(), answer, n.run.logTail())
		}
	}
}

func (n *Node) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, n.health(), http.NoBody)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode < http.StatusMultipleChoices {
		return nil
	}
	why, _ := io.ReadAll(io.LimitReader(response.Body, 1<<10))
	return fmt.Errorf("it answers %s %s", response.Status, why)
}
