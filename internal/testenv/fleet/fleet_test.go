package fleet_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/testenv"
	"github.com/seckill-dev/seckill/internal/testenv/fleet"
)

const (
	// playNode makes a copy of this test binary a node: it serves at the address until it is killed.
	playNode = "FLEET_PLAY_NODE"
	// holdFleet makes one open a fleet, name its members and wait to be killed.
	holdFleet = "FLEET_HOLD"
	patience  = 20 * time.Second
)

func TestMain(m *testing.M) {
	switch {
	case os.Getenv(playNode) != "":
		os.Exit(play(os.Getenv(playNode)))
	case os.Getenv(holdFleet) != "":
		os.Exit(hold())
	default:
		os.Exit(testenv.Leakless(m).Run())
	}
}

// play answers every question with the process id.
func play(address string) int {
	answer := func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, os.Getpid()) }
	fmt.Fprintln(os.Stderr, http.ListenAndServe(address, http.HandlerFunc(answer))) //nolint:gosec // nobody else knows the port
	return 1
}

// copies runs nodes that only say that they are there.
func copies(node fleet.Node) fleet.Command {
	return fleet.Command{Args: []string{os.Args[0]}, Env: append(os.Environ(), playNode+"="+node.Addr(), holdFleet+"=")}
}

// open opens a fleet of one shard and one node of each role.
func open(ctx context.Context, dir string) (*fleet.Fleet, error) {
	f, err := fleet.Open(ctx, fleet.Config{Dir: dir, APIs: 1, Workers: 1, Keepers: 1, Shards: 1, Sandbox: true, Command: copies})
	if err != nil {
		return nil, err
	}
	f.Launch()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return f, f.AwaitReady(ctx)
}

func hold() int {
	f, err := open(context.Background(), os.Getenv(holdFleet))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	var addresses []string
	for _, name := range f.Names() {
		member, _ := f.Member(name)
		addresses = append(addresses, member.Addr())
	}
	fmt.Println("serving", strings.Join(addresses, " ")) //nolint:forbidigo // the parent reads it
	_, _ = io.Copy(io.Discard, os.Stdin)                 // until it is killed, or its parent is gone
	return 0
}

// TestFleetIsMasteredByName walks through one fleet: starting one takes seconds.
func TestFleetIsMasteredByName(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f, err := open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	if got, want := strings.Join(f.Names(), " "), "api-0 keeper-0 mariadb-0 rabbitmq redis sandbox-0 worker-0"; got != want {
		t.Errorf("has %s, want %s", got, want)
	}
	if info, err := os.Stat(f.File()); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the passwords are in a file of mode %v: %v", info.Mode(), err)
	}
	checkMembers(t, f)
	node := f.Nodes[fleet.Worker][0]
	for what, do := range map[string]func(){
		"it was killed":    node.Kill,
		"it was restarted": func() { must(t, node.Restart(t.Context())) },
	} {
		before := says(t, node)
		do()
		await(t, "is another process after "+what, func() bool { pid := says(t, node); return pid != "" && pid != before })
	}
	must(t, node.Stop())
	if says(t, node) != "" {
		t.Error("answers while stopped")
	}
	must(t, node.Continue())
	await(t, "answers again", func() bool { return says(t, node) != "" })
	redis, err := f.Member("redis")
	must(t, err)
	redis.Kill()
	if reaches(t, redis.Addr()) {
		t.Error("Redis came back by itself")
	}
	must(t, redis.Restart(t.Context()))
	ending, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	f.Shutdown(ending)
	if reaches(t, redis.Addr()) || reaches(t, node.Addr()) {
		t.Error("somebody is left after the shutdown")
	}
	again, err := open(t.Context(), dir)
	must(t, err)
	defer again.Close()
	if again.Redis.Addr() != redis.Addr() {
		t.Error("is another fleet on the same folder")
	}
}

func checkMembers(t *testing.T, f *fleet.Fleet) {
	t.Helper()
	if _, err := f.Member("api-7"); err == nil {
		t.Error("has an api-7")
	}
	sandbox := f.Nodes[fleet.Sandbox][0]
	if len(sandbox.Shops) != 1 || sandbox.Shops[0] != f.Nodes[fleet.API][0].Addr() {
		t.Errorf("the sandbox tells %v of payments", sandbox.Shops)
	}
	for _, name := range []string{fleet.SandboxKey, fleet.SandboxSecret} {
		if info, err := os.Stat(sandbox.File(name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFleetGivesUpANodeThatDoesNotRun(t *testing.T) {
	t.Parallel()
	f, err := fleet.Open(t.Context(), fleet.Config{APIs: 1, Workers: 1, Keepers: 1, Shards: 1, Command: func(fleet.Node) fleet.Command {
		return fleet.Command{Args: []string{"sh", "-c", "echo that is not going to work; exit 1"}}
	}})
	must(t, err)
	t.Cleanup(f.Close)
	f.Launch()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := f.AwaitReady(ctx); err == nil || !strings.Contains(err.Error(), "does not run; its log ends:\n") ||
		!strings.Contains(err.Error(), "that is not going to work") {
		t.Errorf("said %v", err)
	}
}

func TestFleetEndsWithAProcessThatIsKilled(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("only Linux ends a child with its parent")
	}
	holder := exec.CommandContext(t.Context(), os.Args[0])
	holder.Env, holder.Stderr = append(os.Environ(), holdFleet+"="+t.TempDir()), t.Output()
	output, err := holder.StdoutPipe()
	must(t, err)
	input, err := holder.StdinPipe()
	must(t, err)
	defer input.Close()
	must(t, holder.Start())
	line, _ := bufio.NewReader(output).ReadString('\n')
	must(t, holder.Process.Kill())
	_ = holder.Wait() // killed, as it should be
	addresses := strings.Fields(line)
	if len(addresses) != 8 {
		t.Fatalf("the copy said %q", line)
	}
	for _, address := range addresses[1:] {
		await(t, address+" is gone", func() bool { return !reaches(t, address) })
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.After(patience); !ok(); {
		select {
		case <-time.After(10 * time.Millisecond):
		case <-deadline:
			t.Fatalf("never happened: %s", what)
		}
	}
}

func reaches(t *testing.T, address string) bool {
	t.Helper()
	conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(t.Context(), "tcp", address)
	if err != nil {
		return false
	}
	conn.Close()
	return true
}

// says is the process id that a node answers with, nothing if it does not answer soon.
func says(t *testing.T, node *fleet.Node) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+node.Addr(), http.NoBody)
	must(t, err)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return ""
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	return string(text)
}
