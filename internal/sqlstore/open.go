package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// ShardConfig names one database: a file or a server.
type ShardConfig struct {
	// Path is the SQLite file; it is created when it is missing.
	Path string
	// Readers is how many statements may read at once; 0 is the database's default.
	Readers int
	// MySQL is the server, instead of Path.
	MySQL *MySQLConfig
}

// Config is what a store needs.
type Config struct {
	// Shards in their order, all files or all servers; the catalog lives on the first. Order and number are part of the
	// stored bucket map.
	Shards []ShardConfig
	// Guards stand before every call, one for each shard; none lets all calls through, as is right for files.
	Guards []Guard
	// Tells says that there are endpoints to tell: without it no events are written.
	Tells bool
	Clock seckill.Clock
	Log   *slog.Logger
	// Alone says that no other process can have these databases open (their folder is locked), so that every node lease
	// found was left by a dead one.
	Alone bool
}

// Open opens the shards. It writes nothing but the files themselves and does not ask whether servers answer: Migrate makes
// the schema, Verify checks it, Ping connects.
func Open(ctx context.Context, config Config) (*Store, error) {
	if len(config.Shards) == 0 || len(config.Shards) > seckill.Buckets {
		return nil, fmt.Errorf("open the SQL store: want 1-%d shards, not %d", seckill.Buckets, len(config.Shards))
	}
	if len(config.Guards) > 0 && len(config.Guards) != len(config.Shards) {
		return nil, fmt.Errorf("open the SQL store: %d guards for %d shards", len(config.Guards), len(config.Shards))
	}
	s := &Store{
		router: newRouter(len(config.Shards)), dialect: sqliteDialect{}, clock: config.Clock, log: config.Log, tells: config.Tells,
	}
	if config.Shards[0].MySQL != nil {
		s.dialect = mysqlDialect{}
	}
	s.ids = newIDs(s, config.Alone)
	for i, shard := range config.Shards {
		if err := s.open(ctx, shard); err != nil {
			return nil, errors.Join(fmt.Errorf("open shard %d: %w", i, err), s.Close())
		}
		if len(config.Guards) > 0 {
			s.shards[i].guard = config.Guards[i]
		}
	}
	return s, nil
}

func (s *Store) open(ctx context.Context, config ShardConfig) error {
	if servers := s.dialect == (mysqlDialect{}); (config.MySQL != nil) != servers {
		return errors.New("the shards are all files or all servers")
	}
	if config.MySQL != nil {
		server := *config.MySQL
		server.log, server.readers = s.log, config.Readers
		config.MySQL = &server
	}
	sh, err := s.dialect.open(ctx, config)
	if err != nil {
		return err
	}
	s.shards = append(s.shards, sh)
	return nil
}
