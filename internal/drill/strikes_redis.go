package drill

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/seckill-dev/seckill/internal/testenv/server"
)

func wipe(ctx context.Context, n *nemesis, _ act) (blow, error) {
	effect := forgets(ctx, n.stage.redis.primary)
	err := n.heal(ctx, func(ctx context.Context) error { return n.stage.redis.primary.Wipe(ctx) })
	return blow{time.Now(), effect}, err
}

// replaceRedis is another machine that knows nothing.
func replaceRedis(ctx context.Context, n *nemesis, _ act) (blow, error) {
	effect := forgets(ctx, n.stage.redis.primary)
	n.stage.redis.primary.Kill()
	n.count(redis)
	return blow{time.Now(), effect}, n.heal(ctx, n.stage.redis.primary.RestartEmpty)
}

// forgets says what a server is about to lose; nothing if there is nothing in it.
func forgets(ctx context.Context, from *server.Redis) string {
	keys, err := server.Ask(ctx, from.Addr(), "DBSIZE")
	if err != nil || keys == "0" {
		return ""
	}
	return keys + " keys lost"
}

// failOver promotes the replica, which lacks what the last moment brought. The old primary comes back, empty, as its replica.
func failOver(ctx context.Context, n *nemesis, _ act) (blow, error) {
	n.stage.redis.primary.Kill()
	n.count(redis)
	from := time.Now()
	if err := n.heal(ctx, n.stage.redis.replica.Promote); err != nil {
		return blow{from: from}, err
	}
	return blow{from, "the replica took over"}, n.turnRedis(ctx)
}

// split promotes the replica while the old primary sells on; the recovery counts from when that ends.
func split(ctx context.Context, n *nemesis, a act) (blow, error) {
	pair := n.stage.redis
	if err := n.heal(ctx, pair.replica.Promote); err != nil {
		return blow{from: time.Now()}, err
	}
	before := written(ctx, pair.primary)
	n.wait(ctx, a.lasts)
	effect := ""
	if more := written(ctx, pair.primary) - before; more > 0 {
		effect = fmt.Sprintf("%d bytes that only the old one has", more)
	}
	pair.primary.Kill()
	n.count(redis)
	from := time.Now()
	return blow{from, effect}, n.turnRedis(ctx)
}

// turnRedis leads the nodes to the replica, which is a primary now, and makes the old one its replica.
func (n *nemesis) turnRedis(ctx context.Context) error {
	n.stage.paths[redis].Redirect(n.stage.redis.replica.Addr())
	return n.heal(ctx, n.stage.redis.turn)
}

// written is how many bytes of changes a server has made in its life; 0 if it does not say.
func written(ctx context.Context, by *server.Redis) int64 {
	const label = "master_repl_offset:"
	info, err := server.Ask(context.WithoutCancel(ctx), by.Addr(), "INFO", "replication")
	_, rest, found := strings.Cut(info, label)
	if err != nil || !found {
		return 0
	}
	number, _, _ := strings.Cut(rest, "\r\n")
	offset, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return 0
	}
	return offset
}
