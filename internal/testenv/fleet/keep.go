package fleet

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/seckill-dev/seckill/internal/testenv/server"
)

// keepable is a server as its supervisor sees it.
type keepable interface {
	Gone() <-chan struct{}
	Restart(ctx context.Context) error
}

// keeping is the supervision of the servers.
type keeping struct {
	stop    context.CancelFunc
	running sync.WaitGroup
}

func (k *keeping) end() {
	if k.stop != nil {
		k.stop()
		k.running.Wait()
	}
}

// KeepServers has servers started again with their data whenever they end, as nodes are, until the fleet is closed.
func (f *Fleet) KeepServers(ctx context.Context) {
	ctx, f.keeping.stop = context.WithCancel(context.WithoutCancel(ctx))
	servers := map[string]keepable{redisName: f.Redis, rabbitName: f.RabbitMQ}
	for i, shard := range f.Shards {
		servers[shardName(i)] = shard
	}
	for name, kept := range servers {
		f.keeping.running.Go(func() { f.keep(ctx, name, kept) })
	}
}

func (f *Fleet) keep(ctx context.Context, name string, kept keepable) {
	for {
		select {
		case <-kept.Gone():
		case <-ctx.Done():
			return
		}
		f.config.Notice(name, "has ended; it is started again")
		began := time.Now()
		for err := kept.Restart(ctx); err != nil; err = kept.Restart(ctx) {
			select {
			case <-time.After(restartPauseMax):
				f.config.Notice(name, err.Error())
			case <-ctx.Done():
				return
			}
		}
		f.config.Notice(name, fmt.Sprintf("serves again after %v", time.Since(began).Round(10*time.Millisecond)))
	}
}

// Missing names the servers that are not installed here, with the Debian packages that have them.
func Missing() (programs, packages []string) {
	for _, missing := range server.Missing() {
		programs, packages = append(programs, missing.Program), append(packages, missing.Package)
	}
	return programs, packages
}
