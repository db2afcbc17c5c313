package sqlstore_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"sync/atomic"
	"testing"

	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sqlstore"
)

// wire is a way to a server that loses the answer to the next COMMIT, and the connection with it, when told to.
type wire struct {
	server string
	lose   atomic.Bool
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
	var lost atomic.Bool
	go func() {
		defer server.Close()
		relay(client, server, func(packet []byte) bool {
			if bytes.HasSuffix(packet, []byte("\x03COMMIT")) && w.lose.CompareAndSwap(true, false) {
				lost.Store(true)
			}
			return true
		})
	}()
	relay(server, client, func([]byte) bool { return !lost.Load() })
}

// relay passes on what comes as long as pass says so.
func relay(from, to net.Conn, pass func(packet []byte) bool) {
	packet := make([]byte, 1<<16)
	for {
		n, err := from.Read(packet)
		if err != nil || !pass(packet[:n]) {
			return
		}
		if _, err := to.Write(packet[:n]); err != nil {
			return
		}
	}
}

func TestMySQLLosesTheAnswerToACommit(t *testing.T) {
	t.Parallel()
	t.Run("of T1, which is repeated and claims once", func(t *testing.T) {
		t.Parallel()
		c, w := wired(t)
		b := newBench(t, leased(t, c), 10, 1)
		m := b.message(t, 5)
		w.lose.Store(true)
		if _, err := b.Claims.Settle(t.Context(), 0, []seckill.Message{m}); !errors.Is(err, seckill.ErrTransient) {
			t.Fatalf("got %v", err)
		}
		if held := b.settle(t, m); len(held) != 5 {
			t.Fatalf("%d of 5 claims are handed on to T2", len(held))
		}
		if stock, err := b.Stocks.Get(t.Context(), b.item); err != nil || stock.Claimed != 5 || stock.Accounted != 5 {
			t.Fatalf("got %+v, %v", stock, err)
		}
	})
	t.Run("of T2, which is repeated and orders once", func(t *testing.T) {
		t.Parallel()
		c, w := wired(t)
		b := newBench(t, leased(t, c), 5, 1)
		m := b.message(t, 5)
		b.settle(t, m)
		w.lose.Store(true)
		if err := b.purchase(t.Context(), m); err != nil || w.lose.Load() {
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
		w.lose.Store(true)
		opened, err := b.Stocks.Open(t.Context(), b.item, stock.Epoch, stock.Attempt)
		if opened || !sqlstore.IsUnknownCommit(err) || errors.Is(err, seckill.ErrTransient) {
			t.Fatalf("got %t, %v", opened, err)
		}
		if stock, err := b.Stocks.Get(t.Context(), b.item); err != nil || stock.State != seckill.StockOpen {
			t.Fatalf("the test lost the commit itself: %+v, %v", stock, err)
		}
	})
}
