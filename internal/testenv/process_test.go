package testenv_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/testenv"
)

// holdServers makes a copy of this test binary start its servers, name them and wait to be killed.
const holdServers = "TESTENV_HOLD_SERVERS"

func TestServersEndWithATestProcessThatIsKilled(t *testing.T) {
	t.Parallel()
	if os.Getenv(holdServers) != "" {
		fmt.Println("serving", env.Redis(t), testenv.StartRedis(t).Addr(), testenv.StartRabbitMQ(t).Addr()) //nolint:forbidigo // the parent reads it
		_, _ = io.Copy(io.Discard, os.Stdin)                                                                // until it is killed, or its parent is gone
	}
	if runtime.GOOS != "linux" {
		t.Skip("only Linux ends a child with its parent")
	}
	addrs := killedWhileServing(t)
	for _, addr := range addrs {
		awaitSilence(t, addr)
	}
}

// killedWhileServing runs a copy of this test binary until its servers serve, kills it and returns where they were.
func killedWhileServing(t *testing.T) []string {
	t.Helper()
	holder := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestServersEndWithATestProcessThatIsKilled$")
	holder.Env = append(os.Environ(), holdServers+"=1", testenv.AddrRedis+"=", "TMPDIR="+t.TempDir())
	output, err := holder.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	input, err := holder.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer input.Close()
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(output)
	var addrs []string
	for len(addrs) == 0 && lines.Scan() {
		if list, ok := strings.CutPrefix(lines.Text(), "serving "); ok {
			addrs = strings.Fields(list)
		}
	}
	if err := holder.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = holder.Wait() // killed, as it should be
	if len(addrs) != 3 {
		t.Fatalf("the copy named %d servers, want 3", len(addrs))
	}
	return addrs
}

// awaitSilence fails the test unless the server is gone soon.
func awaitSilence(t *testing.T, addr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	for say(t, addr, "PING") != "" {
		select {
		case <-poll.C:
		case <-ctx.Done():
			t.Fatalf("the server at %s outlived its test process", addr)
		}
	}
}
