package testenv_test

import (
	"os"
	"strings"
	"testing"

	"github.com/seckill-dev/seckill/internal/testenv"
	"github.com/seckill-dev/seckill/internal/testenv/server"
)

var env testenv.Env

func TestMain(m *testing.M) { os.Exit(env.Main(m)) }

func TestRedis(t *testing.T) {
	t.Parallel()

	t.Run("is one server for all tests of a package", func(t *testing.T) {
		t.Parallel()
		if first, second := env.Redis(t), env.Redis(t); first != second {
			t.Errorf("gave %s and %s", first, second)
		}
		if got := say(t, env.Redis(t), "PING"); got != "PONG" {
			t.Errorf("answered %q", got)
		}
	})

	t.Run("never evicts and writes to disk", func(t *testing.T) {
		t.Parallel()
		addr := testenv.StartRedis(t).Addr()
		for setting, want := range map[string]string{"maxmemory-policy": "noeviction", "appendonly": "yes"} {
			if got := say(t, addr, "CONFIG", "GET", setting); got != setting+"\n"+want {
				t.Errorf("answered %q, want %s", got, want)
			}
		}
	})
}

func TestRedisLosesWhatTheTestTakesAway(t *testing.T) {
	t.Parallel()

	t.Run("nothing it answered, by kill -9 and a restart", func(t *testing.T) {
		t.Parallel()
		r := testenv.StartRedis(t)
		addr := r.Addr()
		say(t, addr, "SET", "item", "7")
		r.Kill(t)
		if got := say(t, addr, "PING"); got != "" {
			t.Fatalf("answers %q after it was killed", got)
		}
		r.Restart(t)
		if got := say(t, addr, "EXISTS", "item"); got != "1" {
			t.Errorf("has %s of the item after a restart, want it back", got)
		}
	})

	t.Run("everything, with its disk", func(t *testing.T) {
		t.Parallel()
		r := testenv.StartRedis(t)
		say(t, r.Addr(), "SET", "item", "7")
		r.RestartEmpty(t)
		if got := say(t, r.Addr(), "EXISTS", "item"); got != "0" {
			t.Errorf("still has the item: %s", got)
		}
	})

	t.Run("everything but its run id, by a wipe", func(t *testing.T) {
		t.Parallel()
		r := testenv.StartRedis(t)
		say(t, r.Addr(), "SET", "item", "7")
		before := runID(t, r.Addr())
		r.Wipe(t)
		if got := say(t, r.Addr(), "EXISTS", "item"); got != "0" {
			t.Errorf("still has the item: %s", got)
		}
		if runID(t, r.Addr()) != before {
			t.Error("became another server")
		}
	})
}

func TestRedisHangsWhileStoppedAndCarriesOn(t *testing.T) {
	t.Parallel()
	r := testenv.StartRedis(t)
	r.Stop(t)
	if got := say(t, r.Addr(), "PING"); got != "" {
		t.Fatalf("answers %q while stopped", got)
	}
	r.Continue(t)
	if got := say(t, r.Addr(), "PING"); got != "PONG" {
		t.Errorf("answered %q afterwards", got)
	}
}

func TestRedisComesBackAsItWasEarlier(t *testing.T) {
	t.Parallel()
	r := testenv.StartRedis(t)
	say(t, r.Addr(), "SET", "item", "7")
	old := r.Snapshot(t)
	for range 2 {
		say(t, r.Addr(), "SET", "item", "8")
		r.RestartFrom(t, old)
		if got := say(t, r.Addr(), "GET", "item"); got != "7" {
			t.Errorf("has %s, want what the snapshot has", got)
		}
	}
}

func TestRedisReplica(t *testing.T) {
	t.Parallel()
	master := testenv.StartRedis(t)
	say(t, master.Addr(), "SET", "item", "7")
	replica := testenv.StartReplica(t, master)
	if got := say(t, replica.Addr(), "GET", "item"); got != "7" {
		t.Fatalf("has %q, want what its master had", got)
	}
	replica.Stop(t)
	say(t, master.Addr(), "SET", "item", "8")
	master.Kill(t)
	replica.Continue(t)
	replica.Promote(t)
	if got := say(t, replica.Addr(), "SET", "other", "1"); got != "OK" {
		t.Errorf("answered %q to a write after its promotion", got)
	}
	replica.Restart(t)
	if got := say(t, replica.Addr(), "ROLE"); !strings.HasPrefix(got, "master") {
		t.Errorf("is %q after a restart", got)
	}
}

func TestStartRedisEndsWithItsTest(t *testing.T) {
	t.Parallel()
	var addr string
	t.Run("even when it is stopped", func(t *testing.T) {
		r := testenv.StartRedis(t)
		addr = r.Addr()
		r.Stop(t)
	})
	if got := say(t, addr, "PING"); got != "" {
		t.Errorf("answers %q after its test", got)
	}
}

// say sends one command and returns the reply, or nothing if there is none.
func say(t *testing.T, addr string, command ...string) string {
	t.Helper()
	reply, err := server.Ask(t.Context(), addr, command...)
	if err != nil {
		return ""
	}
	return reply
}

// runID is the line by which a Redis tells its lives apart.
func runID(t *testing.T, addr string) string {
	t.Helper()
	for line := range strings.Lines(say(t, addr, "INFO", "server")) {
		if strings.HasPrefix(line, "run_id:") {
			return line
		}
	}
	t.Fatal("the server names no run id")
	return ""
}
