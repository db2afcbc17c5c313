package main

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"
)

// takenOK is what the script says to who gets something.
const takenOK = "ok"

// takeScript checks limit and stock, takes and notes, in one step.
const takeScript = `
local held = tonumber(redis.call('HGET', KEYS[2], ARGV[1]) or '0')
if held + tonumber(ARGV[2]) > tonumber(ARGV[3]) then
  return 'limit_reached'
end
local left = tonumber(redis.call('GET', KEYS[1]) or '0')
if left < tonumber(ARGV[2]) then
  return 'sold_out'
end
redis.call('DECRBY', KEYS[1], ARGV[2])
redis.call('HINCRBY', KEYS[2], ARGV[1], ARGV[2])
return 'ok'`

const (
	limitPerUser = 1
	// poolSize was the best of 20, 64, 256 and 512 for 512 requests at once on two cores.
	poolSize = 256
)

// stock is one counter and who has what.
type stock struct {
	client *redis.Client
	script *redis.Script
}

func openStock(ctx context.Context, settings Settings) (*stock, error) {
	s := &stock{
		client: redis.NewClient(&redis.Options{Addr: settings.Redis, DB: settings.Database, PoolSize: poolSize, MaxRetries: -1}),
		script: redis.NewScript(takeScript),
	}
	err := s.client.FlushDB(ctx).Err()
	if err == nil {
		err = s.client.Set(ctx, stockKey(settings.Item), settings.Units, 0).Err()
	}
	if err == nil {
		err = s.script.Load(ctx, s.client).Err()
	}
	return s, err
}

func stockKey(item string) string  { return "naive:{" + item + "}:stock" }
func buyersKey(item string) string { return "naive:{" + item + "}:buyers" }

// take returns what the script says.
func (s *stock) take(ctx context.Context, o order) (string, error) {
	said, err := s.script.EvalSha(ctx, s.client, []string{stockKey(o.Item), buyersKey(o.Item)}, o.User, o.Quantity, limitPerUser).Text()
	if err != nil {
		return "", fmt.Errorf("take: %w", err)
	}
	return said, nil
}

// close empties the database: what was sold here is nobody's.
func (s *stock) close(ctx context.Context) {
	_ = s.client.FlushDB(ctx).Err() // the next one does it again
	_ = s.client.Close()
}
