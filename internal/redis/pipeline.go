package redis

import (
	"cmp"
	"context"
	"errors"
	"sync"

	goredis "github.com/redis/go-redis/v9"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// pipelineMax is how many calls go out in one round trip.
const pipelineMax = 256

// calls are several calls of one script: line says keys and arguments of the nth.
type calls struct {
	script script
	count  int
	line   func(n int) (keys []string, args []any)
	// signed says that a node's share has its name in front and behind, instead of in each of the calls.
	signed bool
	// alone is line for a call outside such a share, which has to name its server itself.
	alone func(n int) (keys []string, args []any)
}

// outcome is what one of them came to. server is who answered a signed one.
type outcome struct {
	value  any
	err    error
	server seckill.Server
}

// node is one server, or whatever finds it.
type node interface{ Pipeline() goredis.Pipeliner }

// pipeline makes the calls in one round trip to each node that serves some of them, and answers for each, in order. A
// node that is away fails its own calls and delays no other's: go-redis' pipeline over a cluster would try it four times
// while everybody waits.
func (l *Lent) pipeline(ctx context.Context, c calls) []outcome {
	outcomes := make([]outcome, c.count)
	if err := notBegun(ctx, c.script.name); err != nil {
		return each(outcomes, outcome{err: err})
	}
	var nodes sync.WaitGroup
	for at, some := range l.route(ctx, c, outcomes) {
		nodes.Go(func() { l.exchange(ctx, at, c, some, outcomes) })
	}
	nodes.Wait()
	for n := range outcomes {
		if err := outcomes[n].err; err != nil {
			outcomes[n].err = transport(c.script.name, err)
		}
	}
	return outcomes
}

// route says which calls go where; what belongs nowhere at the moment has its outcome.
func (l *Lent) route(ctx context.Context, c calls, outcomes []outcome) map[node][]int {
	routes := make(map[node][]int)
	for n := range c.count {
		at, err := l.nodeOf(ctx, c, n)
		if err != nil {
			outcomes[n].err = err
			continue
		}
		routes[at] = append(routes[at], n)
	}
	return routes
}

func (l *Lent) nodeOf(ctx context.Context, c calls, n int) (node, error) {
	cluster, ok := l.client.(*goredis.ClusterClient)
	if !ok {
		return l.client, nil
	}
	keys, _ := c.line(n)
	return cluster.MasterForKey(ctx, keys[0])
}

// exchange makes some of the calls at one node. Scripts it does not know (yet) are sent with their text, and what has moved
// to another node is called there.
func (l *Lent) exchange(ctx context.Context, at node, c calls, some []int, outcomes []outcome) {
	l.send(ctx, at, script.call, c, some, outcomes)
	if unknown := failed(some, outcomes, "NOSCRIPT"); len(unknown) > 0 {
		l.send(ctx, at, script.withText, c, unknown, outcomes)
	}
	for _, n := range append(failed(some, outcomes, "MOVED"), failed(some, outcomes, "ASK")...) {
		keys, args := c.alone(n)
		value, err := c.script.ask(ctx, l.client, keys, args)
		outcomes[n] = outcome{value: value, err: err}
	}
	for _, n := range some {
		if outcomes[n].err != nil {
			relearn(ctx, l.client, outcomes[n].err)
			return
		}
	}
}

// form is how a script is named to a server: script.call or script.withText.
type form func(s script, ctx context.Context, keys []string, args []any) once

func (l *Lent) send(ctx context.Context, at node, as form, c calls, some []int, outcomes []outcome) {
	cmds := make([]once, len(some))
	pipe := at.Pipeline()
	sign := func() (signature once) {
		if c.signed {
			signature = as(l.scripts.server, ctx, nil, []any{l.identity})
			_ = pipe.Process(ctx, signature) // it only queues
		}
		return signature
	}
	before := sign()
	for i, n := range some {
		keys, args := c.line(n)
		cmds[i] = as(c.script, ctx, keys, args)
		_ = pipe.Process(ctx, cmds[i])
	}
	after := sign()
	_, err := pipe.Exec(ctx)
	for i, n := range some {
		outcomes[n] = outcome{value: cmds[i].Val(), err: cmds[i].Err()}
		if outcomes[n].value == nil && outcomes[n].err == nil {
			outcomes[n].err = err
		}
	}
	if c.signed {
		attest(l.scripts.server, before, after, some, outcomes)
	}
}

// attest says of each answer who gave it. A master never takes an earlier name again, so whoever has one name before and
// after a share had it all along; answers of one that was renamed meanwhile are nobody's.
func attest(s script, before, after once, some []int, outcomes []outcome) {
	first, err := signatory(s, before)
	last, failure := signatory(s, after)
	if err = cmp.Or(err, failure); err == nil && (first.RunID != last.RunID || first.ReplicationID != last.ReplicationID) {
		err = errRenamed
	}
	for _, n := range some {
		outcomes[n].server = first
		if outcomes[n].err == nil {
			outcomes[n].err = err
		}
	}
}

// errRenamed says that a server was promoted or restarted while it was asked.
var errRenamed = errors.New("the server was renamed while it answered")

func signatory(s script, signature once) (seckill.Server, error) {
	if err := signature.Err(); err != nil {
		return seckill.Server{}, err
	}
	r, err := s.open(signature.Val())
	if err != nil {
		return seckill.Server{}, err
	}
	server := readServer(r)
	return server, r.done(s.name)
}

// failed are the calls that were refused with the code.
func failed(some []int, outcomes []outcome, code string) []int {
	var refused []int
	for _, n := range some {
		if goredis.HasErrorPrefix(outcomes[n].err, code) {
			refused = append(refused, n)
		}
	}
	return refused
}

// relearn has a cluster's map of slots read again after a call that got no answer: its node may have been replaced, and
// the other nodes know. go-redis does so by itself after a redirection only, and once a minute.
func relearn(ctx context.Context, client goredis.UniversalClient, err error) {
	if cluster, ok := client.(*goredis.ClusterClient); ok && !isReply(err) {
		cluster.ReloadState(ctx)
	}
}
