package fleet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const database = "seckill"

// File is the configuration file that all nodes share, with passwords, for nobody else to read.
func (f *Fleet) File() string { return filepath.Join(f.dir, "seckill.yaml") }

// writeConfig makes the databases and writes the file.
func (f *Fleet) writeConfig(ctx context.Context) error {
	var text strings.Builder
	fmt.Fprintf(&text, "backend: services\nprofile: development\ndata: %q\n%s\n", filepath.Join(f.dir, "data"), f.config.Settings)
	if apis := f.Nodes[API]; len(apis) > 0 { // for tools; each node is given its own
		fmt.Fprintf(&text, "listen: %q\nadmin_listen: %q\n", apis[0].Listen, apis[0].Admin)
	}
	for _, sandbox := range f.Nodes[Sandbox] {
		if err := sandbox.writeSecrets(); err != nil {
			return err
		}
		fmt.Fprintf(&text, "payments: {provider: sandbox, sandbox: {url: %q, key_file: %q, secret_file: %q}}\n",
			"http://"+sandbox.Addr(), sandbox.File(SandboxKey), sandbox.File(SandboxSecret))
	}
	if err := f.writeServers(ctx, &text); err != nil {
		return err
	}
	return os.WriteFile(f.File(), []byte(text.String()), 0o600)
}

func (f *Fleet) writeServers(ctx context.Context, text *strings.Builder) error {
	redis, errRedis := f.path(redisName, f.Redis.Addr())
	broker, errBroker := f.path(rabbitName, f.RabbitMQ.Addr())
	if err := errors.Join(errRedis, errBroker); err != nil {
		return err
	}
	fmt.Fprintf(text, "redis: {addresses: [%q]}\n", redis)
	fmt.Fprintf(text, "rabbitmq: {addresses: [%q], login: {username: %q, password: %q}}\nshards:\n",
		broker, f.RabbitMQ.User(), f.RabbitMQ.Password())
	for i, shard := range f.Shards {
		if err := shard.EnsureDatabase(ctx, database); err != nil {
			return err
		}
		address, err := f.path(shardName(i), shard.Addr())
		if err != nil {
			return err
		}
		fmt.Fprintf(text, "  - {address: %q, database: %q, login: {username: %q, password: %q}}\n",
			address, database, shard.User(), shard.Password())
	}
	return nil
}

// path is where nodes find a server.
func (f *Fleet) path(name, address string) (string, error) {
	if f.config.Path == nil {
		return address, nil
	}
	return f.config.Path(name, address)
}
