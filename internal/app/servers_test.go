package app_test

import (
	"crypto/rand"
	"net/url"
	"strings"
	"testing"

	"github.com/seckill-dev/seckill/internal/app"
	"github.com/seckill-dev/seckill/internal/testenv"
)

// servers are those that the shops of this package share.
var servers testenv.Env

const onServers = "TestOnServers"

// TestOnServers runs what the tests named here show of the embedded system on a Redis, a RabbitMQ and two MariaDB shards:
// the shops that they open go by the name of the test.
func TestOnServers(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]func(*testing.T){
		"sale": TestSale, "replay": TestReplay, "pause": TestPause, "end": TestEnd, "window": TestWindow, "publish": TestPublish,
		"rejection": TestRejection, "dead letters": TestDeadLetters, "redis lost": TestRedisLost,
		"false sold out": TestPeersFalseSoldOut, "limits": TestPeersLimits, "correction": TestCorrection, "one try": TestOneTry,
		"payment": TestPayment, "returns": TestReturns, "events": TestEvents, "operators": TestOperators,
		"live audit": TestLiveAudit, "many buyers": TestManyBuyers,
	} {
		t.Run(name, test)
	}
}

// serversConfig is a system with a Redis, two databases and queues of its own.
func serversConfig(t *testing.T, config app.Config) (app.Config, *testenv.Redis) {
	t.Helper()
	redis := testenv.StartRedis(t)
	broker, err := url.Parse(servers.RabbitMQ(t))
	if err != nil {
		t.Fatal(err)
	}
	password, _ := broker.User.Password()
	config.Backend = app.BackendServices
	config.Redis.Addresses = []string{redis.Addr()}
	config.RabbitMQ.Addresses, config.RabbitMQ.Vhost = []string{broker.Host}, "/"
	config.RabbitMQ.Login = app.LoginConfig{Username: broker.User.Username(), Password: app.Secret(password)}
	config.RabbitMQ.Prefix = "test-" + strings.ToLower(rand.Text())
	config.Shards = []app.ShardConfig{shardConfig(t), shardConfig(t)}
	return config, redis
}

// shardConfig is an empty database, given as user:password@tcp(host:port)/name?settings.
func shardConfig(t *testing.T) app.ShardConfig {
	t.Helper()
	login, place, _ := strings.Cut(servers.MariaDB(t), "@tcp(")
	user, password, _ := strings.Cut(login, ":")
	address, database, _ := strings.Cut(place, ")/")
	database, _, _ = strings.Cut(database, "?")
	return app.ShardConfig{
		Address: address, Database: database, Login: app.LoginConfig{Username: user, Password: app.Secret(password)},
	}
}
