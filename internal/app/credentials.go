package app

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"

	"github.com/seckill-dev/seckill/internal/identity"
)

const (
	// keysFolder is where development keeps the keys it made, inside the data folder.
	keysFolder       = "keys"
	tokenKeyFile     = "token.key"
	operatorKeyFile  = "operator.key"
	generatedName    = "development"
	secretBytesMax   = 4096
	keysFolderAccess = 0o700
)

// Credentials are the keys of the configuration, read.
type Credentials struct {
	// Tokens is empty when shoppers' tokens are verified by tokens.jwks_file.
	Tokens    []identity.Secret
	Operators []identity.OperatorKey
}

// KeepCredentials makes the keys that development needs and nobody has configured, and keeps them in the data folder, so
// that tokens outlive a restart; several processes that start at once agree on one. Only who serves calls it: keys that a
// tool made for a folder it was pointed at by mistake would open nothing.
func (c *Config) KeepCredentials() (Credentials, error) {
	for _, name := range c.generatedKeys() {
		if err := c.generate(name); err != nil {
			return Credentials{}, fmt.Errorf("keep a generated key: %w", err)
		}
	}
	return c.Credentials()
}

// Credentials reads every key and makes none.
func (c *Config) Credentials() (Credentials, error) {
	var found Credentials
	for i, key := range c.Tokens.Keys {
		secret, err := c.read(fmt.Sprintf("tokens.keys[%d].secret", i), key.Secret, key.SecretFile, identity.SecretMin)
		if err != nil {
			return Credentials{}, err
		}
		found.Tokens = append(found.Tokens, identity.Secret{ID: key.KID, Key: []byte(secret)})
	}
	for i, operator := range c.Operators {
		key, err := c.read(fmt.Sprintf("operators[%d].key", i), operator.Key, operator.KeyFile, operatorKeyLeast)
		if err != nil {
			return Credentials{}, err
		}
		found.Operators = append(found.Operators, identity.OperatorKey{Name: operator.Name, Key: key})
	}
	for _, name := range c.generatedKeys() {
		secret, err := c.generated(name)
		if err != nil {
			return Credentials{}, err
		}
		found.addGenerated(name, secret)
	}
	return found, nil
}

// generatedKeys names the keys that are generated because nobody has configured one.
func (c *Config) generatedKeys() (names []string) {
	if c.Profile != ProfileDevelopment {
		return nil
	}
	if len(c.Tokens.Keys) == 0 && c.Tokens.JWKSFile == "" {
		names = append(names, tokenKeyFile)
	}
	if len(c.Operators) == 0 {
		names = append(names, operatorKeyFile)
	}
	return names
}

func (found *Credentials) addGenerated(name, secret string) {
	if name == tokenKeyFile {
		found.Tokens = []identity.Secret{{ID: generatedName, Key: []byte(secret)}}
		return
	}
	found.Operators = []identity.OperatorKey{{Name: generatedName, Key: secret}}
}

// read returns a secret from where it is written.
func (c *Config) read(key string, text Secret, file string, least int) (string, error) {
	if file == "" {
		return string(text), nil
	}
	secret, err := readSecret(file)
	if err != nil {
		return "", fmt.Errorf("%s_file: cannot be read: %w", key, err)
	}
	if err := c.checkAccess(key+"_file", file); err != nil {
		return "", err
	}
	if err := longEnough(key+"_file", secret, least); err != nil {
		return "", err
	}
	if c.Profile == ProfileProduction && guessable(secret) {
		return "", fmt.Errorf("%s_file: holds what looks like a placeholder (refused by profile: production)", key)
	}
	return secret, nil
}

// everybody are the permissions that make a file no secret: to read it, or to put another one in its place.
const everybody = 0o007

// checkAccess refuses, in production, a secret that everybody on the machine can read or replace. The owner's group may
// have it: that is how containers are given theirs.
func (c *Config) checkAccess(key, file string) error {
	if c.Profile != ProfileProduction {
		return nil
	}
	info, err := os.Stat(file)
	if err != nil {
		return fmt.Errorf("%s: cannot be read: %w", key, err)
	}
	if info.Mode().Perm()&everybody != 0 {
		return fmt.Errorf("%s: %s is open to everybody on this machine, its mode is %04o; run chmod 600 on it (refused by profile: production)",
			key, file, info.Mode().Perm())
	}
	return nil
}

// readSecret reads the only line of a file.
func readSecret(path string) (string, error) {
	file, err := os.Open(path) //nolint:gosec // the operator names the file
	if err != nil {
		return "", err
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, secretBytesMax+1))
	if err != nil {
		return "", err
	}
	secret := strings.TrimRight(string(content), "\r\n")
	if len(content) > secretBytesMax || strings.ContainsAny(secret, "\r\n") {
		return "", fmt.Errorf("%s must hold one line of at most %d bytes", path, secretBytesMax)
	}
	return secret, nil
}

// generated reads a key that was made before.
func (c *Config) generated(name string) (string, error) {
	path := filepath.Join(c.Data, keysFolder, name)
	secret, err := readSecret(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("data: there are no keys in %s; start seckill up there first, or name the folder with --data", c.Data)
	}
	if err != nil {
		return "", fmt.Errorf("read a generated key: %w", err)
	}
	if err := longEnough(path, secret, identity.SecretMin); err != nil {
		return "", fmt.Errorf("%w; delete the file, and seckill up makes another key", err)
	}
	return secret, nil
}

// generate makes a key unless it is there.
func (c *Config) generate(name string) error {
	folder := filepath.Join(c.Data, keysFolder)
	path := filepath.Join(folder, name)
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return makeSecret(folder, path)
}

// makeSecret writes a key. The whole file appears under its name at once: whoever finds it there, also after a crash,
// finds all of it.
func makeSecret(folder, path string) (err error) {
	if err := os.MkdirAll(folder, keysFolderAccess); err != nil {
		return err
	}
	file, err := os.CreateTemp(folder, ".new-*") // 0600
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close(), os.Remove(file.Name())) }()
	if _, err := file.WriteString(rand.Text() + rand.Text() + "\n"); err != nil {
		return err
	}
	if err := file.Sync(); err != nil {
		return err
	}
	if err := os.Link(file.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// placedSecret is a secret as the configuration has it.
type placedSecret struct {
	text Secret
	file string
}

// secrets are all secrets of the configuration, by key.
func (c *Config) secrets() iter.Seq2[string, placedSecret] {
	return func(yield func(string, placedSecret) bool) {
		for _, some := range []iter.Seq2[string, placedSecret]{
			c.entryKeys(), c.providerSecrets(), c.webhookSecrets(), c.passwords(),
		} {
			for key, secret := range some {
				if !yield(key, secret) {
					return
				}
			}
		}
	}
}

// entryKeys are those of shoppers' tokens and of operators.
func (c *Config) entryKeys() iter.Seq2[string, placedSecret] {
	return func(yield func(string, placedSecret) bool) {
		for i, key := range c.Tokens.Keys {
			if !yield(fmt.Sprintf("tokens.keys[%d].secret", i), placedSecret{key.Secret, key.SecretFile}) {
				return
			}
		}
		for i, operator := range c.Operators {
			if !yield(fmt.Sprintf("operators[%d].key", i), placedSecret{operator.Key, operator.KeyFile}) {
				return
			}
		}
	}
}

// passwords are those of the servers.
func (c *Config) passwords() iter.Seq2[string, placedSecret] {
	return func(yield func(string, placedSecret) bool) {
		for key, login := range c.logins() {
			if login.hasPassword() && !yield(key+".password", placedSecret{login.Password, login.PasswordFile}) {
				return
			}
		}
	}
}

// logins are those of the servers, where servers are used, by key.
func (c *Config) logins() iter.Seq2[string, LoginConfig] {
	return func(yield func(string, LoginConfig) bool) {
		if c.Backend != BackendServices || !yield("redis.login", c.Redis.Login) || !yield("rabbitmq.login", c.RabbitMQ.Login) {
			return
		}
		for i, shard := range c.Shards {
			if !yield(fmt.Sprintf("shards[%d].login", i), shard.Login) {
				return
			}
		}
	}
}
