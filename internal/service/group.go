package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// group is the stages of one Run, in the order of their start.
type group struct {
	tasks    []*task
	returned chan string // the name of the first stage to return; room for one, nobody waits
}

// task is one started stage.
type task struct {
	stage  Stage
	asked  context.Context // done once the stage has been asked to stop
	cancel context.CancelFunc
	done   chan struct{} // closed when the stage has returned
	err    error         // its failure; read only after done
}

func start(ctx context.Context, log *slog.Logger, stages []Stage) *group {
	g := &group{returned: make(chan string, 1)}
	// The caller's end must not reach all stages at once: each is cancelled alone, in its turn.
	ctx = context.WithoutCancel(ctx)
	for _, stage := range stages {
		t := newTask(ctx, stage)
		g.tasks = append(g.tasks, t)
		log.Debug("stage started", "stage", stage.Name)
		go g.run(t)
	}
	return g
}

func newTask(ctx context.Context, stage Stage) *task {
	asked, cancel := context.WithCancel(ctx)
	return &task{stage: stage, asked: asked, cancel: cancel, done: make(chan struct{})}
}

func (g *group) run(t *task) {
	t.err = t.verdict(t.stage.Run(t.asked))
	close(t.done)
	select {
	case g.returned <- t.stage.Name:
	default: // not the first
	}
}

// verdict tells a clean stop from a failure.
func (t *task) verdict(err error) error {
	asked := t.asked.Err() != nil
	switch {
	case err == nil && !asked:
		return ErrEnded
	case asked && errors.Is(err, context.Canceled):
		return nil
	default:
		return err
	}
}

// stop ends the stages one by one, the last one first, and joins what went wrong.
func (g *group) stop(log *slog.Logger) error {
	var failures []error
	for i := len(g.tasks) - 1; i >= 0; i-- {
		t := g.tasks[i]
		began := time.Now()
		err := t.stop()
		log.Info("stage stopped", "stage", t.stage.Name, "took", time.Since(began), "error", err)
		if err != nil {
			failures = append(failures, fmt.Errorf("%s: %w", t.stage.Name, err))
		}
	}
	return errors.Join(failures...)
}

func (t *task) stop() error {
	t.cancel()
	late := time.NewTimer(t.stage.StopWithin)
	defer late.Stop()
	select {
	case <-t.done:
		return t.err
	case <-late.C:
		return fmt.Errorf("%w (%v)", ErrOverrun, t.stage.StopWithin)
	}
}
