package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"github.com/seckill-dev/seckill/internal/guard"
	"github.com/seckill-dev/seckill/internal/rabbitmq"
	"github.com/seckill-dev/seckill/internal/redis"
	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/service"
	"github.com/seckill-dev/seckill/internal/sqlstore"
)

// openServices connects to Redis, RabbitMQ and every shard. The schema must be there: `seckill migrate up` makes it, because
// of many processes that start at once only one should.
func openServices(ctx context.Context, config Config, log *slog.Logger) (backend *Backend, err error) {
	b := &Backend{Gate: config.Gate}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.Close())
		}
	}()
	doors, err := config.entrances()
	if err != nil {
		return nil, err
	}
	store, err := b.admitShards(ctx, config, doors.shards, log)
	if err != nil {
		return nil, err
	}
	if err := b.leaseIDs(ctx, store); errors.Is(err, seckill.ErrTransient) || sqlstore.Away(err) {
		log.Warn("no ids are made until the catalog's shard answers", "error", err)
	} else if err != nil {
		return nil, err
	}
	if err := b.dialRedis(ctx, config, doors.redis, log); err != nil {
		return nil, err
	}
	return b, b.dialRabbitMQ(ctx, config, doors.rabbitmq, log)
}

// openShards opens the shards, each behind its guard; without guards every call goes through.
func (b *Backend) openShards(
	ctx context.Context, config Config, doors []entrance, guards []sqlstore.Guard, log *slog.Logger,
) (*sqlstore.Store, error) {
	shards := make([]sqlstore.ShardConfig, len(config.Shards))
	for i, shard := range config.Shards {
		shards[i] = sqlstore.ShardConfig{Readers: shard.Connections, MySQL: shard.server(doors[i])}
	}
	store, err := sqlstore.Open(ctx, sqlstore.Config{
		Shards: shards, Guards: guards, Tells: config.isTold(), Clock: seckill.SystemClock{}, Log: log,
	})
	if err != nil {
		return nil, fmt.Errorf("shards: %w", err)
	}
	b.onClose(store.Close)
	b.useStore(store)
	return store, nil
}

func (s ShardConfig) server(door entrance) *sqlstore.MySQLConfig {
	server := &sqlstore.MySQLConfig{DSN: s.dsn(s.Address), Password: door.password, Writers: s.Connections, TLS: door.tls}
	for _, replica := range s.Replicas {
		server.Replicas = append(server.Replicas, s.dsn(replica))
	}
	return server
}

func (s ShardConfig) dsn(address string) string {
	return fmt.Sprintf("%s@tcp(%s)/%s", s.Login.Username, address, s.Database)
}

// leaseIDs leases a node number; when it cannot, the stage goes on trying.
func (b *Backend) leaseIDs(ctx context.Context, store *sqlstore.Store) error {
	ids := store.IDs()
	b.stages = append(b.stages, service.Stage{Name: "ids", Run: ids.Run, StopWithin: idsStopWait})
	b.IDs = ids
	if err := ids.Acquire(ctx); err != nil {
		return fmt.Errorf("lease a node number: %w", err)
	}
	return nil
}

func (b *Backend) dialRedis(ctx context.Context, config Config, door entrance, log *slog.Logger) error {
	lent, err := b.useRedis(config, door, log)
	if err != nil {
		return err
	}
	return b.checkRedis(ctx, lent.Check, config.Profile, log)
}

// useRedis makes the ports; nothing is asked of Redis yet.
func (b *Backend) useRedis(config Config, door entrance, log *slog.Logger) (*redis.Lent, error) {
	options := redis.Options{
		Addresses: config.Redis.Addresses, Cluster: config.Redis.Cluster, DB: config.Redis.Database,
		Username: door.username, Password: door.password, TLS: door.tls, CallTimeout: config.Redis.CallTimeout,
	}
	lent, err := redis.OpenLent(options)
	if err != nil {
		return nil, err
	}
	b.onClose(lent.Close)
	announcements, err := redis.OpenAnnouncements(options)
	if err != nil {
		return nil, err
	}
	b.onClose(announcements.Close)
	b.Lent = guard.NewLent(lent, guard.NewNodes(lent.Node, func(node string) *guard.Breaker {
		return guard.NewBreaker("redis at "+node, guard.Options{Log: log})
	}))
	b.Announcements = announcements
	return lent, nil
}

func (b *Backend) dialRabbitMQ(ctx context.Context, config Config, door entrance, log *slog.Logger) error {
	shards := b.Shards.Count()
	queue, err := rabbitmq.Open(ctx, config.RabbitMQ.queues(door, shards, log))
	if err != nil {
		return err
	}
	b.onClose(queue.Close)
	if err := awaitRabbitMQ(ctx, queue, config.Profile, log); err != nil {
		return err
	}
	b.Publisher = guard.NewPublisher(queue, shardBreakers("rabbitmq", shards, guard.Options{Log: log, ProbesMax: publishesAtOnce}))
	b.Consumer, b.Queue = queue, queue
	b.DeadLetters = guard.NewLetters(queue, guard.NewBreaker("dead letters", guard.Options{Log: log, Timeout: lettersTimeout}))
	return nil
}

func (c RabbitMQConfig) queues(door entrance, shards int, log *slog.Logger) rabbitmq.Config {
	return rabbitmq.Config{
		URLs: c.urls(), Username: door.username, Password: door.password, TLS: door.tls, Name: "seckill", Prefix: c.Prefix,
		Shards: shards, Lanes: c.Lanes, Prefetch: c.Prefetch, Clock: seckill.SystemClock{}, Log: log,
	}
}

// brokerStartWait is how long a start waits for the broker. Connecting takes a moment, and a process that serves before
// would complain of a queue that is only not connected yet; but to say that a password is wrong takes RabbitMQ 3 s.
const brokerStartWait = 5 * time.Second

// awaitRabbitMQ gives the connections their moment. A broker that is away stops no start: shoppers hear busy until it is
// back, and find everything else as always. One that is there and will not have us does so in production.
func awaitRabbitMQ(ctx context.Context, queue *rabbitmq.Queue, profile Profile, log *slog.Logger) error {
	waiting, cancel := context.WithTimeout(ctx, brokerStartWait)
	defer cancel()
	err := queue.AwaitReady(waiting)
	switch {
	case err == nil:
	case rabbitmq.RefusesUs(err) && profile == ProfileProduction:
		return fmt.Errorf("rabbitmq.login: is refused: %w; check user, password, vhost and what the user may do there", err)
	default:
		log.Warn("starting without rabbitmq", "error", err)
	}
	return nil
}

func (c RabbitMQConfig) urls() []string {
	urls := make([]string, len(c.Addresses))
	for i, address := range c.Addresses {
		broker := url.URL{Scheme: "amqp", Host: address, Path: "/" + c.Vhost}
		if c.Vhost == "/" {
			broker.Path, broker.RawPath = "//", "/%2F"
		}
		if c.TLS.Enabled {
			broker.Scheme = "amqps"
		}
		urls[i] = broker.String()
	}
	return urls
}

// publishesAtOnce is how many batches may already be on their way when a breaker begins to trust the broker again: their
// stock is taken, and refusing them here would leave them to the relay.
const publishesAtOnce = 64

// lettersTimeout bounds a look at the dead letters: connecting to the broker, waiting for whoever reads them, and a confirm.
const lettersTimeout = 10 * time.Second

func shardBreakers(store string, shards int, options guard.Options) []*guard.Breaker {
	breakers := make([]*guard.Breaker, shards)
	for shard := range breakers {
		breakers[shard] = guard.NewBreaker(fmt.Sprintf("%s of shard %d", store, shard), options)
	}
	return breakers
}
