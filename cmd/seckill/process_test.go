package main

import (
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// process is the `seckill up` or `seckill dev` of one script.
type process struct {
	command *exec.Cmd
	exited  chan struct{}
}

type processKey struct{}

func processOf(ts *testscript.TestScript) *process { return ts.Value(processKey{}).(*process) }

// serve starts it and waits until it is ready.
func serve(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("usage: serve [flag]...")
	}
	start(ts, append([]string{"up"}, args...), func() bool { return get(ts, "http://"+ts.Getenv("SHOP")+"/readyz") })
}

// develop starts `seckill dev` instead, and waits until it says what to paste.
func develop(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("usage: develop [flag]...")
	}
	start(ts, append([]string{"dev"}, args...), func() bool { return strings.Contains(ts.ReadFile("up.out"), "Or send a crowd") })
}

// start runs the program until it is ready. It is gone when the script is over, and when this process is.
func start(ts *testscript.TestScript, args []string, ready func() bool) {
	p := processOf(ts)
	if p.running() {
		ts.Fatalf("it runs already")
	}
	program, err := exec.LookPath("seckill")
	ts.Check(err)
	out, err := os.Create(ts.MkAbs("up.out"))
	ts.Check(err)
	defer out.Close()
	log, err := os.Create(ts.MkAbs("up.err"))
	ts.Check(err)
	defer log.Close()
	p.command = exec.Command(program, args...) //nolint:noctx // terminate, die and Defer end it
	p.command.Dir, p.command.Env, p.command.Stdout, p.command.Stderr = ts.MkAbs("."), environment(ts), out, log
	ts.Check(p.command.Start())
	command, exited := p.command, make(chan struct{})
	p.exited = exited
	go func() { _ = command.Wait(); close(exited) }()
	ts.Defer(p.kill)
	await(ts, "ready", func() bool {
		if !p.running() {
			ts.Fatalf("seckill %s ended:\n%s", args[0], ts.ReadFile("up.err"))
		}
		return ready()
	})
}

func environment(ts *testscript.TestScript) []string {
	var env []string
	for _, name := range []string{
		"PATH", "HOME", "TMPDIR", "SECKILL_LISTEN", "SECKILL_ADMIN_LISTEN", "SECKILL_DATA", "SECKILL_CONFIG",
	} {
		if value := ts.Getenv(name); value != "" {
			env = append(env, name+"="+value)
		}
	}
	return env
}

func get(ts *testscript.TestScript, url string) bool {
	response, err := (&http.Client{Timeout: patience}).Get(url) //nolint:noctx // bounded by the client
	if err != nil {
		return false
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	ts.Check(err)
	return response.StatusCode == http.StatusOK
}

// terminate is what `systemctl stop` does. The bound is the one the settings promise.
func terminate(ts *testscript.TestScript, neg bool, args []string) {
	p := processOf(ts)
	if neg || len(args) > 0 || !p.running() {
		ts.Fatalf("usage: terminate, while it runs")
	}
	const within = 30 * time.Second // shutdown_timeout
	ts.Check(p.command.Process.Signal(syscall.SIGTERM))
	select {
	case <-p.exited:
	case <-time.After(within):
		ts.Fatalf("it did not stop within %s:\n%s", within, ts.ReadFile("up.err"))
	}
	if code := p.command.ProcessState.ExitCode(); code != 0 {
		ts.Fatalf("exit code %d:\n%s", code, ts.ReadFile("up.err"))
	}
	if log := ts.ReadFile("up.err"); strings.Contains(log, "panic") || strings.Contains(log, "level=ERROR") {
		ts.Fatalf("it complained:\n%s", log)
	}
}

func die(ts *testscript.TestScript, neg bool, args []string) {
	p := processOf(ts)
	if neg || len(args) > 0 || !p.running() {
		ts.Fatalf("usage: die, while it runs")
	}
	p.kill()
}

func (p *process) running() bool {
	if p.exited == nil {
		return false
	}
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

// kill is kill -9, by its id.
func (p *process) kill() {
	_ = p.command.Process.Kill()
	<-p.exited
}
