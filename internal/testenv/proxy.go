package testenv

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// dialWithin bounds the way to the server.
const dialWithin = 2 * time.Second

// proxyChunk is how many bytes a proxy carries at once, and so how often a delay is paid.
const proxyChunk = 16 << 10

// Proxy is a TCP path to a server that a test can break: give its address to the client and the real one to the proxy.
// It knows no protocol, so it serves every store alike.
type Proxy struct {
	target   string
	listener net.Listener
	running  sync.WaitGroup

	mu      sync.Mutex
	paths   map[*path]struct{}
	isCut   bool
	isMute  bool
	delay   time.Duration
	isEnded bool
}

// path is one client's connection and its continuation to the server.
type path struct {
	client, server net.Conn
	over           chan struct{} // closed by cut
	cutting        sync.Once
}

func (p *path) cut() {
	p.cutting.Do(func() {
		close(p.over)
		p.client.Close()
		p.server.Close()
	})
}

// StartProxy opens a path to the server at target (host:port). It ends with the test.
func StartProxy(t testing.TB, target string) *Proxy {
	t.Helper()
	return StartProxyAt(t, "127.0.0.1:0", target)
}

// StartProxyAt is StartProxy at an address of the caller's choice: that of a dead server, whose clients find another one.
func StartProxyAt(t testing.TB, address, target string) *Proxy {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{target: target, listener: listener, paths: map[*path]struct{}{}}
	p.running.Go(p.accept)
	t.Cleanup(p.close)
	return p
}

// Addr is where clients connect.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Cut ends every connection, in the middle of whatever it carries, and takes no new ones until Heal.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.isCut = true
	p.cutAll()
}

// CutOnce ends every connection; new ones are taken at once.
func (p *Proxy) CutOnce() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cutAll()
}

// Delay holds everything back for d, in both directions.
func (p *Proxy) Delay(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay = d
}

// DropReplies swallows what the server says: requests are carried out, and nobody hears of it.
func (p *Proxy) DropReplies() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.isMute = true
}

// Heal ends all faults. Connections that may have lost replies are cut: what follows a gap would be garbage.
func (p *Proxy) Heal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.isMute {
		p.cutAll()
	}
	p.isCut, p.isMute, p.delay = false, false, 0
}

func (p *Proxy) cutAll() {
	for open := range p.paths {
		open.cut()
	}
}

func (p *Proxy) close() {
	p.listener.Close()
	p.mu.Lock()
	p.isEnded = true
	p.cutAll()
	p.mu.Unlock()
	p.running.Wait()
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil {
			p.running.Go(func() { p.serve(client) })
		}
	}
}

func (p *Proxy) serve(client net.Conn) {
	defer client.Close()
	server, err := (&net.Dialer{Timeout: dialWithin}).DialContext(context.Background(), "tcp", p.target)
	if err != nil {
		return
	}
	defer server.Close()
	way := &path{client: client, server: server, over: make(chan struct{})}
	if !p.open(way) {
		return
	}
	var both sync.WaitGroup
	both.Go(func() { p.carry(way, server, client, false) })
	both.Go(func() { p.carry(way, client, server, true) })
	both.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.paths, way)
}

func (p *Proxy) open(way *path) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.isCut || p.isEnded {
		return false
	}
	p.paths[way] = struct{}{}
	return true
}

// carry copies one direction until either end is gone.
func (p *Proxy) carry(way *path, to io.Writer, from io.Reader, isReply bool) {
	defer way.cut()
	chunk := make([]byte, proxyChunk)
	for {
		n, err := from.Read(chunk)
		if n > 0 && p.lets(way, isReply) {
			if _, err := to.Write(chunk[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// lets applies the faults of this moment to one chunk and says whether it goes on.
func (p *Proxy) lets(way *path, isReply bool) bool {
	p.mu.Lock()
	delay := p.delay
	p.mu.Unlock()
	if delay > 0 {
		wait := time.NewTimer(delay)
		defer wait.Stop()
		select {
		case <-wait.C:
		case <-way.over:
			return false
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return !isReply || !p.isMute
}
