package app

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
)

// entrance is what a store's server is entered with, read from where the configuration says.
type entrance struct {
	username, password string
	// tls is nil for an unencrypted connection.
	tls *tls.Config
}

// entrances are those of all servers. They are read before the first of them is called, so that a wrong file is the first
// thing one hears of, and is heard of whichever server is away.
type entrances struct {
	redis, rabbitmq entrance
	shards          []entrance
}

func (c *Config) entrances() (found entrances, err error) {
	if found.redis, err = c.entrance("redis", c.Redis.Login, c.Redis.TLS); err != nil {
		return entrances{}, err
	}
	if found.rabbitmq, err = c.entrance("rabbitmq", c.RabbitMQ.Login, c.RabbitMQ.TLS); err != nil {
		return entrances{}, err
	}
	found.shards, err = c.shardEntrances()
	return found, err
}

func (c *Config) shardEntrances() ([]entrance, error) {
	found := make([]entrance, len(c.Shards))
	for i, shard := range c.Shards {
		var err error
		if found[i], err = c.entrance(fmt.Sprintf("shards[%d]", i), shard.Login, shard.TLS); err != nil {
			return nil, err
		}
	}
	return found, nil
}

func (c *Config) entrance(key string, login LoginConfig, t TLSConfig) (entrance, error) {
	found := entrance{username: login.Username}
	var err error
	if found.password, err = c.read(key+".login.password", login.Password, login.PasswordFile, 1); err != nil {
		return entrance{}, err
	}
	found.tls, err = c.clientTLS(key+".tls", t)
	return found, err
}

// clientTLS is nil where TLS is not enabled.
func (c *Config) clientTLS(key string, t TLSConfig) (*tls.Config, error) {
	if !t.Enabled {
		return nil, nil //nolint:nilnil // nil is what every client library takes for "no TLS"
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName}
	if err := trust(config, key+".ca_file", t.CAFile); err != nil {
		return nil, err
	}
	if t.CertFile == "" {
		return config, nil
	}
	if err := c.checkAccess(key+".key_file", t.KeyFile); err != nil {
		return nil, err
	}
	pair, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("%s.cert_file: cannot be used with key_file: %w", key, err)
	}
	config.Certificates = []tls.Certificate{pair}
	return config, nil
}

// trust sets the authorities; without a file they stay the machine's.
func trust(config *tls.Config, key, file string) error {
	if file == "" {
		return nil
	}
	pem, err := os.ReadFile(file) //nolint:gosec // the operator names the file
	if err != nil {
		return fmt.Errorf("%s: cannot be read: %w", key, err)
	}
	config.RootCAs = x509.NewCertPool()
	if !config.RootCAs.AppendCertsFromPEM(pem) {
		return fmt.Errorf("%s: %s holds no certificate (PEM)", key, file)
	}
	return nil
}
