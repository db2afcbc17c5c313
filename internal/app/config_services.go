package app

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"
)

// BackendServices keeps sales on servers: Redis, RabbitMQ and sharded MySQL, for any number of processes.
const BackendServices = "services"

// LoginConfig is how a store is entered; the password is written here or in a file of its own.
type LoginConfig struct {
	Username     string `yaml:"username"`
	Password     Secret `yaml:"password"`
	PasswordFile string `yaml:"password_file"`
}

// TLSConfig says whether and how a connection to a store is encrypted.
type TLSConfig struct {
	Enabled bool `yaml:"enabled"`
	// CAFile holds the certificates to trust; empty means the machine's.
	CAFile     string `yaml:"ca_file"`
	ServerName string `yaml:"server_name"`
}

// RedisConfig says where Redis is.
type RedisConfig struct {
	Addresses   []string      `yaml:"addresses"`
	Cluster     bool          `yaml:"cluster"`
	Database    int           `yaml:"database"`
	CallTimeout time.Duration `yaml:"call_timeout"`
	Login       LoginConfig   `yaml:"login"`
	TLS         TLSConfig     `yaml:"tls"`
}

// RabbitMQConfig says where the brokers of one cluster are.
type RabbitMQConfig struct {
	Addresses []string    `yaml:"addresses"`
	Vhost     string      `yaml:"vhost"`
	Prefix    string      `yaml:"prefix"`
	Lanes     int         `yaml:"lanes"`
	Prefetch  int         `yaml:"prefetch"`
	Login     LoginConfig `yaml:"login"`
	TLS       TLSConfig   `yaml:"tls"`
}

// ShardConfig is one MySQL database. The first one holds the catalog.
type ShardConfig struct {
	Address     string      `yaml:"address"`
	Database    string      `yaml:"database"`
	Replicas    []string    `yaml:"replicas"`
	Connections int         `yaml:"connections"`
	Login       LoginConfig `yaml:"login"`
	TLS         TLSConfig   `yaml:"tls"`
}

// checkServices looks at the servers' sections, which count only where they are used.
func (c *Config) checkServices() error {
	if c.Backend != BackendServices {
		return nil
	}
	return firstOf(c.checkRedis(), c.checkRabbitMQ(), c.checkShards())
}

func (c *Config) checkRedis() error {
	if len(c.Redis.Addresses) == 0 {
		return errors.New("redis.addresses: is empty; name at least one host:port")
	}
	if len(c.Redis.Addresses) > 1 && !c.Redis.Cluster {
		return errors.New("redis.cluster: must be true for more than one address")
	}
	if c.Redis.Cluster && c.Redis.Database != 0 {
		return errors.New("redis.database: must be 0 in a cluster")
	}
	return firstOf(
		addresses("redis.addresses", c.Redis.Addresses),
		within("redis.database", c.Redis.Database, 0, 15),
		within("redis.call_timeout", c.Redis.CallTimeout, 50*time.Millisecond, time.Second),
		c.Redis.Login.check("redis.login"),
	)
}

func (c *Config) checkRabbitMQ() error {
	if len(c.RabbitMQ.Addresses) == 0 {
		return errors.New("rabbitmq.addresses: is empty; name at least one host:port")
	}
	return firstOf(
		addresses("rabbitmq.addresses", c.RabbitMQ.Addresses),
		queueName("rabbitmq.prefix", c.RabbitMQ.Prefix),
		within("rabbitmq.lanes", c.RabbitMQ.Lanes, 1, 64),
		within("rabbitmq.prefetch", c.RabbitMQ.Prefetch, 1, 10_000),
		c.RabbitMQ.Login.check("rabbitmq.login"),
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
		return errors.New("shards: is empty; name at least one MySQL database")
	}
	for i, shard := range c.Shards {
		key := fmt.Sprintf("shards[%d]", i)
		if shard.Database == "" {
			return fmt.Errorf("%s.database: is missing", key)
		}
		if err := firstOf(
			addresses(key+".address", []string{shard.Address}),
			addresses(key+".replicas", shard.Replicas),
			within(key+".connections", shard.Connections, 0, 10_000),
			shard.Login.check(key+".login"),
		); err != nil {
			return err
		}
	}
	return nil
}

func addresses(key string, list []string) error {
	for _, text := range list {
		if err := address(key, text); err != nil {
			return err
		}
		if strings.HasPrefix(text, ":") {
			return fmt.Errorf("%s: must name a host, got %q", key, text)
		}
	}
	return nil
}

func (l LoginConfig) check(key string) error {
	if l.Password != "" && l.PasswordFile != "" {
		return fmt.Errorf("%s.password: cannot be set along with password_file; choose one", key)
	}
	return nil
}

// password reads the password from where it is written.
func (l LoginConfig) password(key string) (string, error) {
	if l.PasswordFile == "" {
		return string(l.Password), nil
	}
	password, err := readSecret(l.PasswordFile)
	if err != nil {
		return "", fmt.Errorf("%s.password_file: cannot be read: %w", key, err)
	}
	return password, nil
}

// client is nil where TLS is not enabled.
func (t TLSConfig) client(key string) (*tls.Config, error) {
	if !t.Enabled {
		return nil, nil //nolint:nilnil // nil is what every client library takes for "no TLS"
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName}
	if t.CAFile == "" {
		return config, nil
	}
	pem, err := os.ReadFile(t.CAFile) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, fmt.Errorf("%s.ca_file: cannot be read: %w", key, err)
	}
	config.RootCAs = x509.NewCertPool()
	if !config.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s.ca_file: %s holds no certificate", key, t.CAFile)
	}
	return config, nil
}

// warnServices says what is unsafe about the way to the servers.
func (c *Config) warnServices(warn func(key, sentence string)) {
	if c.Backend != BackendServices {
		return
	}
	plain := func(key string, hosts []string, login LoginConfig, t TLSConfig) {
		for _, host := range hosts {
			if !loopback(host) && !t.Enabled {
				warn(key+".tls.enabled", fmt.Sprintf("is false, so whatever goes to %s can be read on the way", host))
				break
			}
		}
		if login.Password == "" && login.PasswordFile == "" {
			warn(key+".login.password_file", "is empty, so anybody who reaches the server may change it")
		}
	}
	plain("redis", c.Redis.Addresses, c.Redis.Login, c.Redis.TLS)
	plain("rabbitmq", c.RabbitMQ.Addresses, c.RabbitMQ.Login, c.RabbitMQ.TLS)
	for i, shard := range c.Shards {
		plain(fmt.Sprintf("shards[%d]", i), append([]string{shard.Address}, shard.Replicas...), shard.Login, shard.TLS)
	}
}
