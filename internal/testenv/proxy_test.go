package testenv_test

import (
	"bufio"
	"net"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/testenv"
)

func TestProxy(t *testing.T) {
	t.Parallel()

	t.Run("carries both ways", func(t *testing.T) {
		t.Parallel()
		if got := say(t, testenv.StartProxy(t, env.Redis(t)).Addr(), "PING"); got != "PONG" {
			t.Errorf("answered %q", got)
		}
	})

	t.Run("cuts open connections and refuses new ones until healed", func(t *testing.T) {
		t.Parallel()
		p := testenv.StartProxy(t, env.Redis(t))
		open := dialTCP(t, p.Addr())
		p.Cut()
		if _, err := bufio.NewReader(open).ReadString('\n'); err == nil {
			t.Error("is still open")
		}
		if got := say(t, p.Addr(), "PING"); got != "" {
			t.Errorf("answered %q while cut", got)
		}
		p.Heal()
		if got := say(t, p.Addr(), "PING"); got != "PONG" {
			t.Errorf("answered %q when healed", got)
		}
	})

	t.Run("delays", func(t *testing.T) {
		t.Parallel()
		p := testenv.StartProxy(t, env.Redis(t))
		p.Delay(100 * time.Millisecond)
		began := time.Now()
		if got := say(t, p.Addr(), "PING"); got != "PONG" || time.Since(began) < 200*time.Millisecond {
			t.Errorf("answered %q after %v", got, time.Since(began))
		}
	})
}

func TestProxyLosesRepliesOfRequestsThatAreCarriedOut(t *testing.T) {
	t.Parallel()
	addr := testenv.StartRedis(t).Addr()
	p := testenv.StartProxy(t, addr)
	p.DropReplies()
	open := dialTCP(t, p.Addr())
	if _, err := open.Write([]byte("SET item 7\r\n")); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(5 * time.Second); say(t, addr, "GET", "item") != "7"; {
		if time.Now().After(deadline) {
			t.Fatal("the request was not carried out")
		}
	}
	p.Heal() // cuts what has lost something
	if line, err := bufio.NewReader(open).ReadString('\n'); err == nil {
		t.Errorf("heard %q", line)
	}
}

func TestProxyLosesTheReplyToEverySecondRequestOfOneKind(t *testing.T) {
	t.Parallel()
	addr := testenv.StartRedis(t).Addr()
	p := testenv.StartProxy(t, addr)
	p.LoseReplies([]byte("INCR"), 2)
	for _, want := range []string{"1", "", "3", ""} {
		if got := say(t, p.Addr(), "INCR", "item"); got != want {
			t.Errorf("answered %q, want %q", got, want)
		}
		if got := say(t, p.Addr(), "PING"); got != "PONG" {
			t.Errorf("a request of another kind is answered %q", got)
		}
	}
	if got := say(t, addr, "GET", "item"); got != "4" {
		t.Errorf("carried out %s times", got)
	}
}

func TestProxyLeadsToAnotherServer(t *testing.T) {
	t.Parallel()
	one, other := testenv.StartRedis(t).Addr(), testenv.StartRedis(t).Addr()
	p := testenv.StartProxy(t, one)
	open := dialTCP(t, p.Addr())
	say(t, other, "SET", "item", "7")
	p.Redirect(other)
	if _, err := bufio.NewReader(open).ReadString('\n'); err == nil {
		t.Error("what was open leads to the first one still")
	}
	if got := say(t, p.Addr(), "GET", "item"); got != "7" {
		t.Errorf("answered %q", got)
	}
}

func dialTCP(t *testing.T, addr string) net.Conn {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return conn
}
