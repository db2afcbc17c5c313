package server

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// Snapshot is what a server had at one moment. It lives in the server's folder.
type Snapshot struct{ dir string }

// Snapshot copies all data, everything that was answered so far included, while the server stands still.
func (r *Redis) Snapshot() (Snapshot, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	dir, err := os.MkdirTemp(r.dir, "snapshot-")
	if err != nil {
		return Snapshot{}, fmt.Errorf("make a folder for a snapshot: %w", err)
	}
	if err := r.process.Stop(); err != nil {
		return Snapshot{}, err
	}
	err = os.CopyFS(dir, os.DirFS(r.data()))
	if err := errors.Join(err, r.process.Continue()); err != nil {
		return Snapshot{}, fmt.Errorf("copy the data of %s: %w", r.name, err)
	}
	return Snapshot{dir}, nil
}

// RestartFrom is Restart with what the server had at an earlier moment: a restored backup. The snapshot can be used again.
func (r *Redis) RestartFrom(ctx context.Context, snapshot Snapshot) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.kill()
	err := os.RemoveAll(r.data())
	if err = errors.Join(err, os.CopyFS(r.data(), os.DirFS(snapshot.dir))); err != nil {
		return fmt.Errorf("restore the data of %s: %w", r.name, err)
	}
	return r.launch(ctx)
}
