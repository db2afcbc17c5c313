// Package service runs the long-lived parts of a process together and stops them in order.
//
// Stages start in the order given and stop in the reverse order, one after the other: a stage's context is cancelled
// only when every stage after it has returned or overrun. So whoever is listed first (stores) outlives whoever uses it
// (consumers, then listeners), and nothing in flight loses the ground it stands on.
//
//	start  stores -> jobs -> consumers -> listener
//	stop   stores <- jobs <- consumers <- listener     each within its own StopWithin
//
// The package knows nothing of what it runs and does not restart anything: a stage that ends by itself ends the group,
// because half a process answers as if it were whole.
package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// ErrOverrun is the failure of a stage that had not returned StopWithin after it was asked to stop. It is left behind:
// the stages before it are stopped all the same, and the process is about to end.
var ErrOverrun = errors.New("did not stop in time")

// ErrEnded is the failure of a stage that returned without an error before it was asked to stop.
var ErrEnded = errors.New("ended by itself")

// Stage is one part of the process.
type Stage struct {
	// Name says in logs and errors what is starting, stopping or overrunning.
	Name string
	// Run works until ctx is done, then finishes what it has begun and returns. What the next stage needs from it must
	// be ready before the group starts: stages are started without waiting for one another.
	Run func(ctx context.Context) error
	// StopWithin bounds the time between ctx being done and Run returning.
	StopWithin time.Duration
}

// Run starts the stages and blocks until ctx is done or one of them returns, then stops all of them in reverse order.
// It returns every failure, each wrapped with its stage's name, and nil only if ctx ended the group and every stage
// stopped cleanly in its time. An error that merely repeats the cancellation is a clean stop.
func Run(ctx context.Context, log *slog.Logger, stages ...Stage) error {
	if err := check(stages); err != nil {
		return err
	}
	running := start(ctx, log, stages)
	select {
	case <-ctx.Done():
		log.Info("stopping", "cause", context.Cause(ctx))
	case first := <-running.returned:
		log.Error("stopping", "cause", "stage returned", "stage", first)
	}
	return running.stop(log)
}

// check refuses what could only be a slip in the wiring, before anything has started.
func check(stages []Stage) error {
	for i, stage := range stages {
		switch {
		case stage.Name == "":
			return fmt.Errorf("stage %d has no name", i)
		case stage.Run == nil:
			return fmt.Errorf("stage %s has nothing to run", stage.Name)
		case stage.StopWithin <= 0:
			return fmt.Errorf("stage %s has no bound on its stop", stage.Name)
		}
	}
	return nil
}
