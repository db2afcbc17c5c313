package server

import (
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"time"
)

const (
	// registryWithin is how long a kill waits; the broker needs one second.
	registryWithin = 3 * time.Second
	registryPoll   = 10 * time.Millisecond
	// A dets file says at this place whether it is closed or saved.
	detsSavedAt = 8
	detsSaved   = 1
)

// Kill ends the server as kill -9 does, and it stays away. What it had confirmed is in its folder, and so are the queues it
// had declared: RabbitMQ writes down a second later which member of a quorum queue is which. A kill in that second leaves a
// queue of one member that never elects a leader and has lost what was in it, however often the broker is restarted. That
// is a weakness of a broker of one node just after its first start, and would hide what a test wants to see.
func (r *RabbitMQ) Kill() {
	r.awaitRegistry()
	r.machine.Kill()
}

// Restart kills the server as Kill does, if it still runs, and starts it on the same port with the data it had.
func (r *RabbitMQ) Restart(ctx context.Context) error {
	r.awaitRegistry()
	return r.machine.Restart(ctx)
}

// awaitRegistry waits until the list of members is saved.
func (r *RabbitMQ) awaitRegistry() {
	poll := time.NewTicker(registryPoll)
	defer poll.Stop()
	for late := time.After(registryWithin); r.runs() && !r.isRegistrySaved(); {
		select {
		case <-poll.C:
		case <-late: // frozen, perhaps
			return
		}
	}
}

func (r *RabbitMQ) runs() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.process != nil && r.process.Running()
}

// isRegistrySaved reads it in the file's head; a file that cannot be read is not waited for.
func (r *RabbitMQ) isRegistrySaved() bool {
	file, err := os.Open(filepath.Join(r.data(), r.nodeName(), "quorum", r.nodeName(), "names.dets"))
	if err != nil {
		return true
	}
	defer file.Close()
	var state [4]byte
	if _, err := file.ReadAt(state[:], detsSavedAt); err != nil {
		return true
	}
	return binary.BigEndian.Uint32(state[:]) == detsSaved
}
