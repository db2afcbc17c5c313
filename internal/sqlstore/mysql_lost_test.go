package sqlstore_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sqlstore"
)

// wire is a way to a server on which something happens to the next COMMIT when it is told to.
type wire struct {
	server string
	next   atomic.Pointer[accident]
}

// accident is what happens to a COMMIT, and what is left of it.
type accident struct {
	name string
	// sent says that the server gets it; cut that the connection is lost, and not only silent.
	sent, cut bool
}

func accidents() []*accident {
	return []*accident{
		{name: "whose answer is lost with the connection", sent: true, cut: true},
		{name: "whose connection is cut before it is sent", cut: true},
		{name: "whose answer never comes", sent: true},
	}
}

// wired describes a store on a fresh database behind a wire.
func wired(t *testing.T) (sqlstore.Config, *wire) {
	t.Helper()
	c := mariadbConfig(t, 1)
	server := parseDSN(t, c.Shards[0].MySQL.DSN)
	w := &wire{server: server.Addr}
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go w.carry(client)
		}
	}()
	server.Addr = listener.Addr().String()
	c.Shards[0].MySQL.DSN = server.FormatDSN()
	return c, w
}

// carry carries one connection both ways until either end closes it.
func (w *wire) carry(client net.Conn) {
	defer client.Close()
	server, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", w.server)
	if err != nil {
		return
	}
	defer server.Close()
	var happened atomic.Pointer[accident]
	go func() {
		defer server.Close()
		relay(client, server, func(packet []byte) (pass, cut bool) {
			if bytes.HasSuffix(packet, []byte("\x03COMMIT")) {
				happened.Store(w.next.Swap(nil))
			}
			if a := happened.Load(); a != nil && !a.sent {
				return false, true
			}
			return true, false
		})
	}()
	relay(server, client, func([]byte) (pass, cut bool) {
		a := happened.Load()
		return a == nil, a != nil && a.cut
	})
}

// relay passes on what comes, or swallows it, until the way is cut.
func relay(from, to net.Conn, judge func(packet []byte) (pass, cut bool)) {
	packet := make([]byte, 1<<16)
	for {
		n, err := from.Read(packet)
		if err != nil {
			return
		}
		pass, cut := judge(packet[:n])
		if cut {
			return
		}
		if !pass {
			continue
		}
		if _, err := to.Write(packet[:n]); err != nil {
			return
		}
	}
}

func TestMySQLLosesACommit(t *testing.T) {
	t.Parallel()
	for _, a := range accidents() {
		t.Run("of T1, "+a.name+": it is repeated and claims once", func(t *testing.T) {
			t.Parallel()
			claimsOnce(t, a)
		})
		t.Run("of T1 with T2, "+a.name+": it is repeated and orders once", func(t *testing.T) {
			t.Parallel()
			ordersOnce(t, a)
		})
	}
	t.Run("of T2, which is repeated and orders once", func(t *testing.T) {
		t.Parallel()
		c, w := wired(t)
		b := newBench(t, leased(t, c), 5, 1)
		m := b.message(t, 5)
		b.settle(t, m)
		w.next.Store(accidents()[0])
		if err := b.purchase(t.Context(), m); err != nil || w.next.Load() != nil {
			t.Fatalf("got %v", err)
		}
		b.wantAllOnce(t, 5)
	})
	t.Run("of an open, which nobody may take for done or for undone (trap 34)", func(t *testing.T) {
		t.Parallel()
		c, w := wired(t)
		store := leased(t, c)
		b := newBench(t, store, 10, 1)
		edit(t, store, 0, "UPDATE stock SET state = 'loading'")
		stock, err := b.Stocks.Get(t.Context(), b.item)
		if err != nil {
			t.Fatal(err)
		}
		w.next.Store(accidents()[0])
		opened, err := b.Stocks.Open(t.Context(), b.item, stock.Epoch, stock.Attempt)
		if opened || !sqlstore.IsUnknownCommit(err) || errors.Is(err, seckill.ErrTransient) {
			t.Fatalf("got %t, %v", opened, err)
		}
		if stock, err := b.Stocks.Get(t.Context(), b.item); err != nil || stock.State != seckill.StockOpen {
			t.Fatalf("the test lost the commit itself: %+v, %v", stock, err)
		}
	})
}

func claimsOnce(t *testing.T, a *accident) {
	t.Helper()
	c, w := wired(t)
	c.Shards[0].MySQL.ReadTimeout = time.Second // for the answer that never comes
	b := newBench(t, leased(t, c), 10, 1)
	m := b.message(t, 5)
	w.next.Store(a)
	if _, err := b.Claims.Settle(t.Context(), 0, []seckill.Message{m}, nil); !errors.Is(err, seckill.ErrTransient) || !sqlstore.IsUnknownCommit(err) {
		t.Fatalf("got %v", err)
	}
	stock, err := b.Stocks.Get(t.Context(), b.item)
	if err != nil || (stock.Claimed == 5) != a.sent {
		t.Fatalf("the accident was another one: %+v, %v", stock, err)
	}
	if held := b.settle(t, m); len(held) != 5 {
		t.Fatalf("%d of 5 claims are handed on to T2", len(held))
	}
	if stock, err := b.Stocks.Get(t.Context(), b.item); err != nil || stock.Claimed != 5 || stock.Accounted != 5 {
		t.Fatalf("got %+v, %v", stock, err)
	}
}

// ordersOnce repeats what may have happened: then the orders are known, and nobody is told of them twice.
func ordersOnce(t *testing.T, a *accident) {
	t.Helper()
	c, w := wired(t)
	c.Shards[0].MySQL.ReadTimeout = time.Second // for the answer that never comes
	b := newBench(t, leased(t, c), 5, 1)
	m := []seckill.Message{b.message(t, 5)}
	w.next.Store(a)
	if _, err := b.Claims.Settle(t.Context(), 0, m, b.terms(true)); !errors.Is(err, seckill.ErrTransient) || !sqlstore.IsUnknownCommit(err) {
		t.Fatalf("got %v", err)
	}
	want := 5
	if a.sent {
		want = 0
	}
	if s, err := b.Claims.Settle(t.Context(), 0, m, b.terms(true)); err != nil || len(s.Ordered) != want || len(s.Held)+len(s.Doubled) > 0 {
		t.Fatalf("got %+v, %v", s, err)
	}
	b.wantAllOnce(t, 5)
}
