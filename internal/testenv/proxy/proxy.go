// Package proxy puts a path that can be broken between a server and its clients: give its address to the clients and the
// server's to the path. It knows no protocol, so it serves every store alike.
package proxy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// dialWithin bounds the way to the server.
const dialWithin = 2 * time.Second

// proxyChunk is how many bytes a proxy carries at once, and so how often a delay is paid.
const proxyChunk = 16 << 10

// Proxy is a TCP path to a server.
type Proxy struct {
	listener net.Listener
	running  sync.WaitGroup

	mu      sync.Mutex
	target  string
	paths   map[*path]struct{}
	lossy   []byte // what loses its reply; nil: nothing does
	oneIn   int    // how often
	asked   int    // how often it went by
	isCut   bool
	isMute  bool
	delay   time.Duration
	hits    int // since the last Heal
	isEnded bool
}

// path is one client's connection and its continuation to the server.
type path struct {
	client, server net.Conn
	over           chan struct{} // closed by cut
	isLost         bool          // the next reply; guarded by the proxy's mutex
	cutting        sync.Once
}

func (p *path) cut() {
	p.cutting.Do(func() {
		close(p.over)
		p.client.Close()
		p.server.Close()
	})
}

// Open opens a path at an address to the server at target (host:port each). Port 0 is one that is free.
func Open(ctx context.Context, address, target string) (*Proxy, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("open a path to %s: %w", target, err)
	}
	p := &Proxy{target: target, listener: listener, paths: map[*path]struct{}{}}
	p.running.Go(p.accept)
	return p, nil
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

// LoseReplies has the server hear every so many-th request with that text in it, and nobody hear of it: the connection is cut
// when the reply comes. With COMMIT as the text nobody knows what became of a transaction that is committed.
func (p *Proxy) LoseReplies(text []byte, oneIn int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lossy, p.oneIn, p.asked = text, oneIn, 0
}

// Redirect leads new connections to another server, and cuts those that there are.
func (p *Proxy) Redirect(target string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = target
	p.cutAll()
}

// Hits is what faults have done since the last Heal: connections cut or refused, pieces held back, replies that were lost.
func (p *Proxy) Hits() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.hits
}

// Heal ends all faults. Connections that may have lost replies are cut: what follows a gap would be garbage.
func (p *Proxy) Heal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.isMute {
		p.cutAll()
	}
	p.isCut, p.isMute, p.delay, p.lossy, p.hits = false, false, 0, nil, 0
}

func (p *Proxy) cutAll() {
	p.hits += len(p.paths)
	for open := range p.paths {
		open.cut()
	}
}

// Close cuts everything and ends the path. It may be called twice.
func (p *Proxy) Close() {
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
	p.mu.Lock()
	target := p.target
	p.mu.Unlock()
	server, err := (&net.Dialer{Timeout: dialWithin}).DialContext(context.Background(), "tcp", target)
	if err != nil {
		return
	}
	defer server.Close()
	way := &path{client: client, server: server, over: make(chan struct{})}
	if !p.open(way, target) {
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

func (p *Proxy) open(way *path, target string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.isCut || p.isEnded || p.target != target {
		p.hits++
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
		if n > 0 && p.lets(way, chunk[:n], isReply) {
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
func (p *Proxy) lets(way *path, chunk []byte, isReply bool) bool {
	p.mu.Lock()
	delay := p.delay
	if delay > 0 {
		p.hits++
	}
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
	if isReply {
		isLost := p.isMute || way.isLost
		if isLost {
			p.hits++
		}
		if way.isLost {
			way.cut()
		}
		return !isLost
	}
	if p.lossy != nil && bytes.Contains(chunk, p.lossy) {
		p.asked++
		way.isLost = way.isLost || p.asked%p.oneIn == 0
	}
	return true
}
