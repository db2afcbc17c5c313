package fleet

import (
	"context"
	"os"
	"sync"
	"time"

	"github.com/seckill-dev/seckill/internal/testenv/process"
)

const (
	restartPause    = 50 * time.Millisecond // between the end of a node and its next start
	restartPauseMax = time.Second           // of one that ends at once, again and again
	healthyAfter    = 2 * time.Second       // a node that lived so long did not end at once
	flopsMax        = 8                     // such ends in a row, and nobody need wait for it any longer
	logTailMax      = 2000                  // how much of a node's log a failure quotes, in bytes
)

// supervision keeps one process running.
type supervision struct {
	command process.Command
	log     string // the file for its output, unless the command has one
	notice  func(what string)
	over    chan struct{} // closed when it is not to run any more
	running sync.WaitGroup

	mu      sync.Mutex
	process *process.Process // the present or the last one, nil before the first
	isOver  bool
	killed  bool // by us: it did not end by itself, however soon
	flops   int  // how often in a row it has ended at once
}

func newSupervision(command process.Command, log string, notice func(string)) *supervision {
	return &supervision{command: command, log: log, notice: notice, over: make(chan struct{})}
}

func (s *supervision) launch() { s.running.Go(s.supervise) }

// supervise starts the process again and again.
func (s *supervision) supervise() {
	for pause := restartPause; ; pause = min(2*pause, restartPauseMax) {
		began := time.Now()
		if p := s.begin(); p != nil {
			s.outlive(p)
		}
		if s.judge(time.Since(began)) {
			pause = restartPause
		}
		select {
		case <-time.After(pause):
		case <-s.over:
			return
		}
	}
}

// judge says whether a process that lived so long was a healthy one, and counts those that were not.
func (s *supervision) judge(lived time.Duration) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if lived > healthyAfter || s.killed {
		s.flops, s.killed = 0, false
		return true
	}
	s.flops++
	return false
}

// isHopeless says that the process has ended at once again and again.
func (s *supervision) isHopeless() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.flops >= flopsMax
}

// outlive returns when the process has ended.
func (s *supervision) outlive(p *process.Process) {
	how := "by itself"
	if err := p.Ending(); err != nil {
		how = err.Error()
	}
	select {
	case <-s.over: // as it should
	default:
		s.notice("has ended (" + how + "); it is started again")
	}
}

// begin starts the process, unless it is not to run any more. A start that fails is tried again like one that ends.
func (s *supervision) begin() *process.Process {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.isOver {
		return nil
	}
	command := s.command
	if command.Output == nil {
		file, err := os.OpenFile(s.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return nil
		}
		defer file.Close() // the child has its own copy
		command.Output = file
	}
	p, err := process.Start(command)
	if err != nil {
		return nil
	}
	s.process = p
	return p
}

func (s *supervision) current() *process.Process {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.process
}

// kill ends the present process as kill -9 does.
func (s *supervision) kill() {
	s.mu.Lock()
	p := s.process
	s.killed = p != nil && p.Running()
	s.mu.Unlock()
	if p != nil {
		p.Kill()
	}
}

// terminate asks the present process to end, and kills it when ctx is over.
func (s *supervision) terminate(ctx context.Context) {
	if p := s.current(); p != nil {
		p.Terminate(ctx)
	}
}

// do applies something to the present process.
func (s *supervision) do(act func(*process.Process) error) error {
	if p := s.current(); p != nil {
		return act(p)
	}
	return process.ErrExited
}

// end ends the process for good: it is asked to, and killed when ctx is over.
func (s *supervision) end(ctx context.Context) {
	s.retire()
	s.terminate(ctx)
	s.running.Wait()
}

// close kills the process for good. It may be called twice.
func (s *supervision) close() {
	s.retire()
	s.kill()
	s.running.Wait()
}

func (s *supervision) retire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.isOver {
		s.isOver = true
		close(s.over)
	}
}

// logTail is the end of what the process has written, if that is in a file, for a failure's message.
func (s *supervision) logTail() string {
	text, err := os.ReadFile(s.log)
	if err != nil || len(text) == 0 {
		return ""
	}
	return "; its log ends:\n" + string(text[max(0, len(text)-logTailMax):])
}
