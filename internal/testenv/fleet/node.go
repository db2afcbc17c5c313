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

	run *supervision
}

func (f *Fleet) newNode(role string, index int) (*Node, error) {
	n := &Node{Role: role, Index: index, Config: f.File()}
	if role == API && index == 0 {
		n.Listen, n.Admin = f.config.Listen, f.config.AdminListen
	}
	for _, address := range []*string{&n.Listen, &n.Admin} {
		if *address != "" {
			continue
		}
		port, err := server.FreePort()
		if err != nil {
			return nil, err
		}
		*address = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	}
	command := f.config.Command(*n)
	if f.config.Output != nil {
		command.Output = f.config.Output(n.Name())
	}
	n.run = newSupervision(command, filepath.Join(f.dir, n.Name()+".log"))
	return n, nil
}

// Name is the role and the number among its like: api-0.
func (n *Node) Name() string { return fmt.Sprintf("%s-%d", n.Role, n.Index) }

// Addr is where the node serves: shoppers, if it is an api.
func (n *Node) Addr() string {
	if n.Role == API {
		return n.Listen
	}
	return n.Admin
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
	return n.awaitReady(ctx)
}

// awaitReady asks the node's health endpoint until it says yes.
func (n *Node) awaitReady(ctx context.Context) error {
	poll := time.NewTicker(readyPoll)
	defer poll.Stop()
	for {
		answer := n.ready(ctx)
		if answer == nil {
			return nil
		}
		select {
		case <-poll.C:
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w", n.Name(), answer)
		}
	}
}

func (n *Node) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+n.Addr()+"/readyz", http.NoBody)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusOK {
		return nil
	}
	why, _ := io.ReadAll(io.LimitReader(response.Body, 1<<10))
	return fmt.Errorf("it answers %s %s", response.Status, why)
}
