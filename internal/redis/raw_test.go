package redis_test

import (
	"testing"

	goredis "github.com/redis/go-redis/v9"

	"github.com/seckill-dev/seckill/internal/redis"
)

// raw is a plain client for what the port does not offer.
func raw(t testing.TB, options redis.Options) *goredis.Client {
	t.Helper()
	client := goredis.NewClient(&goredis.Options{Addr: options.Addresses[0], Password: options.Password, Protocol: 2})
	t.Cleanup(func() { check(t, client.Close()) })
	return client
}

// forgetScripts also happens under other tests' feet, as a restart does.
func forgetScripts(t testing.TB, options redis.Options) {
	t.Helper()
	check(t, raw(t, options).ScriptFlush(t.Context()).Err())
}
