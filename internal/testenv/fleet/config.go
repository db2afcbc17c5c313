package fleet

import (
	"context"
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
	for _, sandbox := range f.Nodes[Sandbox] {
		if err := sandbox.writeSecrets(); err != nil {
			return err
		}
		fmt.Fprintf(&text, "payments: {provider: sandbox, sandbox: {url: %q, key_file: %q, secret_file: %q}}\n",
			"http://"+sandbox.Addr(), sandbox.File(SandboxKey), sandbox.File(SandboxSecret))
	}
	fmt.Fprintf(&text, "redis: {addresses: [%q]}\n", f.Redis.Addr())
	fmt.Fprintf(&text, "rabbitmq: {addresses: [%q], login: {username: %q, password: %q}}\nshards:\n",
		f.RabbitMQ.Addr(), f.RabbitMQ.User(), f.RabbitMQ.Password())
	for _, shard := range f.Shards {
		if err := shard.EnsureDatabase(ctx, database); err != nil {
			return err
		}
		fmt.Fprintf(&text, "  - {address: %q, database: %q, login: {username: %q, password: %q}}\n",
			shard.Addr(), database, shard.User(), shard.Password())
	}
	return os.WriteFile(f.File(), []byte(text.String()), 0o600)
}
