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
	begin(ts, append([]string{"up"}, args...), func() bool { return get(ts, "http://"+ts.Getenv("SHOP")+"/readyz") })
}

// develop starts `seckill dev` instead, and waits until it says what to paste.
func develop(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("usage: develop [flag]...")
	}
	begin(ts, append([]string{"dev"}, args...), func() bool { return strings.Contains(ts.ReadFile("up.out"), "Or send a crowd") })
}

// begin starts the program of this script and waits until it is ready.
func begin(ts *testscript.TestScript, args []string, ready func() bool) {
	p := processOf(ts)
	if p.running() {
		ts.Fatalf("it runs already")
	}
	p.start(ts, "up.out", "up.err", args)
	await(ts, "ready", func() bool {
		if !p.running() {
			ts.Fatalf("seckill %s ended:\n%s", args[0], ts.ReadFile("up.err"))
		}
		return ready()
	})
}

// start runs the program; it is gone when the script is over, and when this process is.
func (p *process) start(ts *testscript.TestScript, outFile, logFile string, args []string) {
	program, err := exec.LookPath("seckill")
	ts.Check(err)
	out, err := os.Create(ts.MkAbs(outFile))
	ts.Check(err)
	defer out.Close()
	log := out
	if logFile != outFile {
		log, err = os.Create(ts.MkAbs(logFile))
		ts.Check(err)
		defer log.Close()
	}
	p.command = exec.Command(program, args...) //nolint:noctx // a signal or Defer ends it
	p.command.Dir, p.command.Env, p.command.Stdout, p.command.Stderr = ts.MkAbs("."), environment(ts), out, log
	ts.Check(p.command.Start())
	command, exited := p.command, make(chan struct{})
	p.exited = exited
	go func() { _ = command.Wait(); close(exited) }()
	ts.Defer(p.kill)
}

func environment(ts *testscript.TestScript) []string {
	var env []string
	for _, name := range []string{
		"PATH", "HOME", "TMPDIR", "SECKILL_LISTEN", "SECKILL_ADMIN_LISTEN", "SECKILL_DATA", "SECKILL_CONFIG",
		"SECKILL_PAYMENTS__SANDBOX__LISTEN", "SECKILL_AUDIT__EVERY",
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
	p.terminate(ts, "up.err", 0)
	if log := ts.ReadFile("up.err"); strings.Contains(log, "panic") || strings.Contains(log, "level=ERROR") {
		ts.Fatalf("it complained:\n%s", log)
	}
}

func (p *process) terminate(ts *testscript.TestScript, logFile string, want int) {
	const within = 30 * time.Second // shutdown_timeout
	ts.Check(p.command.Process.Signal(syscall.SIGTERM))
	select {
	case <-p.exited:
	case <-time.After(within):
		ts.Fatalf("it did not stop within %s:\n%s", within, ts.ReadFile(logFile))
	}
	if code := p.command.ProcessState.ExitCode(); code != want {
		ts.Fatalf("exit code %d:\n%s", code, ts.ReadFile(logFile))
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

// playersKey is where a script keeps its processes by name.
type playersKey struct{}

func playersOf(ts *testscript.TestScript) map[string]*process {
	return ts.Value(playersKey{}).(map[string]*process)
}

// play starts a process and does not wait for anything.
func play(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: play name argument...")
	}
	p, file := &process{}, args[0]+".log"
	p.start(ts, file, file, args[1:])
	playersOf(ts)[args[0]] = p
}

// hint sends SIGTERM to what play has started, which may take it as it likes.
func hint(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 || playersOf(ts)[args[0]] == nil {
		ts.Fatalf("usage: hint name, of a process that plays")
	}
	ts.Check(playersOf(ts)[args[0]].command.Process.Signal(syscall.SIGTERM))
}

// part ends what play has started. With ! it must say by its exit code that something is wrong.
func part(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 || playersOf(ts)[args[0]] == nil {
		ts.Fatalf("usage: [!] part name, of a process that plays")
	}
	code := 0
	if neg {
		code = 1
	}
	playersOf(ts)[args[0]].terminate(ts, args[0]+".log", code)
	delete(playersOf(ts), args[0])
}

// quit is kill -9 of what play has started, in whatever state it is.
func quit(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 || playersOf(ts)[args[0]] == nil {
		ts.Fatalf("usage: quit name, of what was played")
	}
	playersOf(ts)[args[0]].kill()
	delete(playersOf(ts), args[0])
}
