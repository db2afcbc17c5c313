package app

import (
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"
	"time"
)

// checkServices looks at the servers' sections, which count only where they are used.
func (c *Config) checkServices() error {
	if c.Backend != BackendServices {
		return nil
	}
	return firstOf(c.Redis.check(), c.RabbitMQ.check(), c.checkShards())
}

func (c RedisConfig) check() error {
	if len(c.Addresses) > 1 && !c.Cluster {
		return fmt.Errorf("redis.cluster: must be true for more than one address, got %d addresses", len(c.Addresses))
	}
	if c.Cluster && c.Database != 0 {
		return fmt.Errorf("redis.database: must be 0 in a cluster, got %d", c.Database)
	}
	if c.Login.Username != "" && !c.Login.hasPassword() {
		return missing("redis.login.password_file", "a user is nobody without it; name the file with the password")
	}
	return firstOf(
		servers("redis.addresses", c.Addresses),
		within("redis.database", c.Database, 0, 15),
		within("redis.call_timeout", c.CallTimeout, 50*time.Millisecond, time.Second),
		c.Login.check("redis.login"),
		c.TLS.check("redis.tls"),
	)
}

func (c RabbitMQConfig) check() error {
	if c.Vhost == "" {
		return missing("rabbitmq.vhost", "name the virtual host; the one that every broker has is /")
	}
	if c.Login.Username == "" {
		return missing("rabbitmq.login.username", "name the broker's user")
	}
	if !c.Login.hasPassword() {
		return missing("rabbitmq.login.password_file", "name the file with the user's password")
	}
	return firstOf(
		servers("rabbitmq.addresses", c.Addresses),
		queueName("rabbitmq.prefix", c.Prefix),
		within("rabbitmq.lanes", c.Lanes, 1, 64),
		within("rabbitmq.prefetch", c.Prefetch, 1, 10_000),
		c.Login.check("rabbitmq.login"),
		c.TLS.check("rabbitmq.tls"),
	)
}

// queueName takes what every tool for queues shows and quotes alike.
func queueName(key, text string) error {
	if !regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`).MatchString(text) {
		return fmt.Errorf("%s: must be 1-64 letters, digits, dots, dashes or underscores, got %q", key, text)
	}
	return nil
}

func (c *Config) checkShards() error {
	if len(c.Shards) == 0 {
		return missing("shards", "name at least one MySQL database")
	}
	for i, shard := range c.Shards {
		key := fmt.Sprintf("shards[%d]", i)
		if err := shard.check(key); err != nil {
			return err
		}
		same := slices.IndexFunc(c.Shards[:i], func(other ShardConfig) bool {
			return other.Address == shard.Address && other.Database == shard.Database
		})
		if same >= 0 {
			return fmt.Errorf("%s.database: is shards[%d] again, %s at %s; each shard is a database of its own",
				key, same, shard.Database, shard.Address)
		}
	}
	return nil
}

// databaseNames are what needs no quotes, and cannot carry settings of a driver.
func databaseNames() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9_$-]{1,64}$`) }

func (s ShardConfig) check(key string) error {
	if s.Address == "" {
		return missing(key+".address", "write host:port")
	}
	if s.Database == "" {
		return missing(key+".database", "name the database on that server")
	}
	if !databaseNames().MatchString(s.Database) {
		return fmt.Errorf("%s.database: must be 1-64 letters, digits or _ $ -, got %s", key, shown(s.Database))
	}
	if s.Login.Username == "" {
		return missing(key+".login.username", "name the database's user")
	}
	if strings.Contains(s.Login.Username, ":") {
		return fmt.Errorf("%s.login.username: cannot have a colon, got %s", key, shown(s.Login.Username))
	}
	return firstOf(
		server(key+".address", s.Address),
		eachServer(key+".replicas", s.Replicas),
		within(key+".connections", s.Connections, 0, 10_000),
		s.Login.check(key+".login"),
		s.TLS.check(key+".tls"),
	)
}

func missing(key, what string) error { return fmt.Errorf("%s: is missing; %s", key, what) }

// servers are the addresses of a store, of which there is at least one.
func servers(key string, list []string) error {
	if len(list) == 0 {
		return missing(key, "name at least one host:port")
	}
	return eachServer(key, list)
}

func eachServer(key string, list []string) error {
	for i, text := range list {
		if err := server(fmt.Sprintf("%s[%d]", key, i), text); err != nil {
			return err
		}
	}
	return nil
}

// server is the address of somebody else, so it has a host and a port.
func server(key, text string) error {
	if strings.Contains(text, "@") {
		return fmt.Errorf("%s: must be host:port alone; user and password go into login", key)
	}
	host, port, err := net.SplitHostPort(text)
	if err != nil || host == "" || port == "0" {
		return fmt.Errorf("%s: must be host:port, got %s", key, shown(text))
	}
	return address(key, text)
}

func (l LoginConfig) hasPassword() bool { return l.Password != "" || l.PasswordFile != "" }

func (l LoginConfig) check(key string) error {
	if l.Password != "" && l.PasswordFile != "" {
		return fmt.Errorf("%s.password: cannot be set along with password_file; choose one", key)
	}
	return nil
}

// check refuses what would silently count for nothing.
func (t TLSConfig) check(key string) error {
	if (t.CertFile == "") != (t.KeyFile == "") {
		return fmt.Errorf("%s.cert_file: is of no use without key_file, and the other way round; set both or none", key)
	}
	if !t.Enabled && t != (TLSConfig{}) {
		return fmt.Errorf("%s.enabled: must be true for the other keys of the section to count", key)
	}
	return nil
}

// warnServices says what is unsafe about the way to the servers.
func (c *Config) warnServices(warn func(key, sentence string)) {
	if c.Backend != BackendServices {
		return
	}
	warnEntrance("redis", c.Redis.Addresses, c.Redis.Login, c.Redis.TLS, warn)
	warnEntrance("rabbitmq", c.RabbitMQ.Addresses, c.RabbitMQ.Login, c.RabbitMQ.TLS, warn)
	if c.RabbitMQ.Login.Username == "guest" {
		warn("rabbitmq.login.username", "is guest, whom every broker knows; make a user of your own")
	}
	for i, shard := range c.Shards {
		warnEntrance(fmt.Sprintf("shards[%d]", i), append([]string{shard.Address}, shard.Replicas...), shard.Login, shard.TLS, warn)
	}
}

func warnEntrance(key string, hosts []string, login LoginConfig, t TLSConfig, warn func(key, sentence string)) {
	away := slices.IndexFunc(hosts, func(host string) bool { return !loopback(host) })
	if away >= 0 && !t.Enabled {
		warn(key+".tls.enabled", fmt.Sprintf("is false, so whatever goes to %s can be read on the way; set it to true", hosts[away]))
	}
	if !login.hasPassword() {
		warn(key+".login.password_file", "is missing, so anybody who reaches the server may change it; "+
			"give the user a password and name its file")
	}
}
