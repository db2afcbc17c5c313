package testenv

import (
	"testing"

	"github.com/seckill-dev/seckill/internal/testenv/proxy"
)

// Proxy is a TCP path to a server that a test can break; see package proxy.
type Proxy = proxy.Proxy

// StartProxy opens a path to the server at target (host:port). It ends with the test.
func StartProxy(t testing.TB, target string) *Proxy {
	t.Helper()
	return StartProxyAt(t, "127.0.0.1:0", target)
}

// StartProxyAt is StartProxy at an address of the caller's choice: that of a dead server, whose clients find another one.
func StartProxyAt(t testing.TB, address, target string) *Proxy {
	t.Helper()
	p, err := proxy.Open(t.Context(), address, target)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}
