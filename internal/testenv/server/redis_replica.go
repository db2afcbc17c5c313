package server

import (
	"context"
	"fmt"
	"net"
)

// OpenReplica starts a server that copies another one, and returns when it has caught up.
func OpenReplica(ctx context.Context, options Options, master string) (*Redis, error) {
	r, err := OpenRedis(ctx, options)
	if err != nil {
		return nil, err
	}
	if err := r.ReplicaOf(ctx, master); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// ReplicaOf makes the server a copy of the one at master (host:port), over restarts too: what it had is lost. It returns
// when the copy is complete; from then on it follows at its own pace.
func (r *Redis) ReplicaOf(ctx context.Context, master string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	host, port, err := net.SplitHostPort(master)
	if err != nil {
		return fmt.Errorf("address of the master: %w", err)
	}
	if _, err := Ask(ctx, r.Addr(), "REPLICAOF", host, port); err != nil {
		return err
	}
	r.master = master
	return r.await(ctx, "a copy", func(ctx context.Context) bool {
		return r.says(ctx, "replication", "master_link_status:up")
	})
}

// Promote makes a replica a master of what it has copied so far, as an operator does by hand. Its replication id changes.
func (r *Redis) Promote(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, err := Ask(ctx, r.Addr(), "REPLICAOF", "NO", "ONE"); err != nil {
		return err
	}
	r.master = ""
	return nil
}
