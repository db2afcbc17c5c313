package stage

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/seckill-dev/seckill/internal/testenv/server"
)

// Versions are those of the servers.
func (s *Stage) Versions(ctx context.Context, db *sql.DB) (map[string]string, error) {
	redis, err := s.redisInfo(ctx, "server", "redis_version")
	if err != nil {
		return nil, err
	}
	broker, err := amqp.Dial(s.RabbitMQ.URL())
	if err != nil {
		return nil, err
	}
	defer broker.Close() //nolint:errcheck // it has said what it is
	var mariadb string
	if err := db.QueryRowContext(ctx, "SELECT VERSION()").Scan(&mariadb); err != nil {
		return nil, err
	}
	return map[string]string{"redis": redis, "rabbitmq": fmt.Sprint(broker.Properties["version"]), "mariadb": mariadb}, nil
}

// Durability is how much an answer of each server is worth, and what memory it has.
func (s *Stage) Durability(ctx context.Context, db *sql.DB) (map[string]string, error) {
	found := map[string]string{"rabbitmq: orders": "quorum queues, persistent and mandatory messages, confirms"}
	for _, name := range []string{"appendonly", "appendfsync", "maxmemory-policy"} {
		answer, err := server.Ask(ctx, s.Redis.Addr(), "CONFIG", "GET", name)
		if err != nil {
			return nil, err
		}
		_, value, _ := strings.Cut(answer, "\n")
		found["redis: "+name] = value
	}
	for _, name := range []string{
		"innodb_flush_log_at_trx_commit", "innodb_doublewrite", "sync_binlog", "log_bin", "innodb_buffer_pool_size", "innodb_log_file_size",
	} {
		var value string
		if err := db.QueryRowContext(ctx, "SELECT @@GLOBAL."+name).Scan(&value); err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		found["mariadb: "+name] = value
	}
	return found, nil
}
