package drill

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seckill-dev/seckill/internal/testenv/fleet"
	"github.com/seckill-dev/seckill/internal/testenv/proxy"
)

// The strikes. Each heals what it has broken, whatever its ctx says: that only shortens the time in between. What somebody
// hit has to do before it is back is its own business: a process is started again by the fleet, at once.

func killNode(_ context.Context, n *nemesis, a act) (blow, error) {
	effect, err := n.kill(a.victim)
	return blow{time.Now(), effect}, err
}

// killAgain kills a process that has hardly begun.
func killAgain(ctx context.Context, n *nemesis, a act) (blow, error) {
	const times = 3
	for range times {
		if _, err := n.kill(a.victim); err != nil {
			return blow{}, err
		}
		n.wait(ctx, a.lasts/times)
	}
	return killNode(ctx, n, a)
}

func restartNode(ctx context.Context, n *nemesis, a act) (blow, error) {
	from := time.Now()
	return blow{from, "asked to end"}, n.heal(ctx, func(ctx context.Context) error {
		member, err := n.stage.member(a.victim)
		if err != nil {
			return err
		}
		return member.Restart(ctx)
	})
}

// killServer has it away for a while; the recovery counts from when it is back.
func killServer(ctx context.Context, n *nemesis, a act) (blow, error) {
	b, err := killRedis(ctx, n, a)
	b.from = time.Now()
	return b, err
}

// killRedis has Redis lose the last second at most; the recovery counts from the blow.
func killRedis(ctx context.Context, n *nemesis, a act) (blow, error) {
	effect, err := n.kill(a.victim)
	from := time.Now()
	n.wait(ctx, a.lasts)
	return blow{from, effect}, errors.Join(err, n.revive(ctx, a.victim))
}

// freeze stops a member, as behind a cut network; the recovery counts from when it goes on.
func freeze(ctx context.Context, n *nemesis, a act) (blow, error) {
	member, err := n.stage.member(a.victim)
	if err != nil {
		return blow{}, err
	}
	effect := ""
	if err = member.Stop(); err == nil { // every thread of it stands still
		effect = "stood still"
	}
	n.wait(ctx, a.lasts)
	err = errors.Join(err, member.Continue())
	return blow{time.Now(), effect}, err
}

// killEverything kills all servers and nodes at the same moment.
func killEverything(ctx context.Context, n *nemesis, _ act) (blow, error) {
	var blows sync.WaitGroup
	names := n.stage.names()
	failures := make([]error, len(names))
	var killed atomic.Int64
	for i, name := range names {
		blows.Go(func() {
			effect, err := n.kill(name)
			if failures[i] = err; effect != "" {
				killed.Add(1)
			}
		})
	}
	blows.Wait()
	err := n.mend(ctx)
	return blow{time.Now(), fmt.Sprintf("%d killed", killed.Load())}, errors.Join(errors.Join(failures...), err)
}

func cutOff(ctx context.Context, n *nemesis, a act) (blow, error) {
	return n.onPath(ctx, a, "%d connections cut or refused", func(p *proxy.Proxy) {
		if p.CutOnce(); a.lasts > time.Second { // otherwise only what was open
			p.Cut()
		}
	})
}

func slowDown(ctx context.Context, n *nemesis, a act) (blow, error) {
	const delay = 60 * time.Millisecond // each way
	return n.onPath(ctx, a, "%d pieces held back", func(p *proxy.Proxy) { p.Delay(delay) })
}

func loseReplies(ctx context.Context, n *nemesis, a act) (blow, error) {
	return n.onPath(ctx, a, "%d pieces of replies lost", (*proxy.Proxy).DropReplies)
}

// loseCommits leaves every third transaction in doubt although it is committed.
func loseCommits(ctx context.Context, n *nemesis, a act) (blow, error) {
	const oneIn = 3
	return n.onPath(ctx, a, "%d answers to COMMIT lost", func(p *proxy.Proxy) { p.LoseReplies([]byte("COMMIT"), oneIn) })
}

// onPath breaks the way to a server for a while, and says how often that was felt.
func (n *nemesis) onPath(ctx context.Context, a act, felt string, breaks func(*proxy.Proxy)) (blow, error) {
	path, found := n.stage.paths[a.victim]
	if !found {
		return blow{}, fmt.Errorf("there is no path to %s", a.victim)
	}
	breaks(path)
	n.wait(ctx, a.lasts)
	effect := ""
	if hits := path.Hits(); hits > 0 {
		effect = fmt.Sprintf(felt, hits)
	}
	path.Heal()
	return blow{time.Now(), effect}, nil
}

// replaceServer is another machine that knows nothing.
func replaceServer(ctx context.Context, n *nemesis, a act) (blow, error) {
	member, err := n.stage.server(a.victim)
	if err != nil {
		return blow{}, err
	}
	effect := ""
	if member.IsUp() {
		n.count(a.victim)
		effect = "killed, and came back empty"
	}
	err = n.heal(ctx, member.RestartEmpty)
	return blow{time.Now(), effect}, err
}

func block(ctx context.Context, n *nemesis, a act) (blow, error) {
	broker := n.stage.fleet.RabbitMQ
	log := follow(broker.Log())
	err := n.heal(ctx, broker.BlockPublishers)
	n.wait(ctx, a.lasts)
	err = errors.Join(err, n.heal(ctx, broker.UnblockPublishers))
	return blow{time.Now(), log.says("alarm set")}, err
}

// deleteQueues deletes them with messages in them: the workers stand still for the moment.
func deleteQueues(ctx context.Context, n *nemesis, _ act) (blow, error) {
	const gather = 300 * time.Millisecond
	var failures []error
	workers := n.stage.fleet.Nodes[fleet.Worker]
	for _, worker := range workers {
		failures = append(failures, worker.Stop())
	}
	n.wait(ctx, gather)
	deleted := 0
	for _, queue := range n.stage.keys.Queues {
		err := n.heal(ctx, func(ctx context.Context) error { return n.stage.fleet.RabbitMQ.DeleteQueue(ctx, queue) })
		if failures = append(failures, err); err == nil {
			deleted++
		}
	}
	for _, worker := range workers {
		failures = append(failures, worker.Continue())
	}
	return blow{time.Now(), fmt.Sprintf("%d deleted", deleted)}, errors.Join(failures...)
}

// fillDisk leaves a server no room to write anything down. Neither leaves a log behind with which it is sure to start again,
// so what an operator has to do is done. Redis writes its log anew. The broker is replaced by an empty one: the process that
// writes the log of its quorum queues dies for good, and may leave one with which no queue starts any more (RabbitMQ 3.10:
// corrupt_log, gap_between_snapshot_and_first_index).
func fillDisk(ctx context.Context, n *nemesis, a act) (blow, error) {
	full, log, err := n.stage.disk(a.victim)
	if err != nil {
		return blow{}, err
	}
	err = full.fill()
	n.wait(ctx, a.lasts)
	err = errors.Join(err, full.free())
	switch a.victim {
	case redis:
		err = errors.Join(err, n.heal(ctx, n.stage.redis.primary.Rewrite))
	case rabbitmq:
		n.count(rabbitmq)
		err = errors.Join(err, n.heal(ctx, n.stage.fleet.RabbitMQ.RestartEmpty))
	}
	return blow{time.Now(), log.says("No space left on device", "Short write", "enospc", "no space left")}, err
}
