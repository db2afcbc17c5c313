package app

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seckill-dev/seckill/internal/identity"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// What is enough for a secret. The length is identity's for token secrets and operators' keys.
const (
	operatorKeyLeast = 20
	// lettersLeast is how many different characters a secret has that nobody made up by leaning on a key.
	lettersLeast = 8
	// memoryLeastKiB and memorySafeKiB bound argon2: the library's own least for many threads, and OWASP's least.
	memoryLeastKiB = 8 * 16
	memorySafeKiB  = 7 * 1024
)

// check refuses the first wrong value. What is only unsafe is refused in production and otherwise a warning.
func (c *Config) check() error {
	for _, check := range []func() error{
		c.checkPlace, c.checkListeners, c.checkLog, c.checkTimes, c.checkTokens, c.checkOperators, c.checkAccounts, c.checkLimits,
		c.checkPayments, c.checkEvents, c.checkServices,
	} {
		if err := check(); err != nil {
			return err
		}
	}
	if unsafe := c.Warnings(); c.Profile == ProfileProduction && len(unsafe) > 0 {
		return fmt.Errorf("%s (refused by profile: production)", unsafe[0])
	}
	return nil
}

// Warnings says what is unsafe, one sentence each, beginning with its key. In production there are none: Load refuses.
func (c *Config) Warnings() []string {
	var unsafe []string
	warn := func(key, sentence string) { unsafe = append(unsafe, key+": "+sentence) }
	if !loopback(c.AdminListen) && !c.AdminAnywhere {
		warn("admin_listen", fmt.Sprintf("%q can be reached from other machines, unencrypted; "+
			"use 127.0.0.1, or set admin_anywhere if only your proxy reaches it", c.AdminListen))
	}
	if len(c.Tokens.Keys) == 0 && c.Tokens.JWKSFile == "" {
		warn("tokens.keys", "is empty, so a key is generated in the data folder; set at least one, or tokens.jwks_file")
	}
	if len(c.Operators) == 0 {
		warn("operators", "is empty, so a key is generated in the data folder; name at least one")
	}
	for key, secret := range c.secrets() {
		switch {
		case secret.file != "" && c.isGenerated(secret.file):
			warn(key, "is a key that was generated for development; make one of your own")
		case secret.file == "" && guessable(string(secret.text)):
			warn(key, "looks like a placeholder; make one with: openssl rand -base64 36")
		}
	}
	if c.Tokens.JWKSFile != "" && c.Tokens.Audience == "" {
		warn("tokens.audience", "is empty, so tokens that your identity provider made for other services count here")
	}
	if c.Accounts.Enabled && c.Accounts.Argon2.MemoryKiB < memorySafeKiB {
		warn("accounts.argon2.memory_kib", fmt.Sprintf("%d makes passwords cheap to guess; use at least %d",
			c.Accounts.Argon2.MemoryKiB, memorySafeKiB))
	}
	c.warnPayments(warn)
	c.warnEvents(warn)
	c.warnServices(warn)
	return unsafe
}

func (c *Config) checkPlace() error {
	if err := oneOf("profile", c.Profile, ProfileDevelopment, ProfileProduction); err != nil {
		return err
	}
	if err := oneOf("backend", c.Backend, BackendEmbedded, BackendServices); err != nil {
		return err
	}
	if strings.TrimSpace(c.Data) == "" {
		return errors.New("data: must name a folder")
	}
	return nil
}

func (c *Config) checkListeners() error {
	if err := address("listen", c.Listen); err != nil {
		return err
	}
	if err := address("admin_listen", c.AdminListen); err != nil {
		return err
	}
	// Port 0 is any free one, a different one each time.
	if _, port, _ := net.SplitHostPort(c.Listen); c.Listen == c.AdminListen && port != "0" {
		return fmt.Errorf("admin_listen: must be another address than listen, got %q for both", c.Listen)
	}
	for i, proxy := range c.TrustedProxies {
		_, errPrefix := netip.ParsePrefix(proxy)
		_, errAddr := netip.ParseAddr(proxy)
		if errPrefix != nil && errAddr != nil {
			return fmt.Errorf("trusted_proxies[%d]: must be an address or a network such as 10.0.0.0/8, got %q", i, proxy)
		}
	}
	return nil
}

func (c *Config) checkLog() error {
	if err := oneOf("log.level", c.Log.Level, "debug", "info", "warn", "error"); err != nil {
		return err
	}
	return oneOf("log.format", c.Log.Format, "text", "json")
}

func (c *Config) checkTimes() error {
	if c.Gate%time.Millisecond != 0 {
		return fmt.Errorf("gate: must be whole milliseconds, got %s", c.Gate)
	}
	return firstOf(
		within("gate", c.Gate, seckill.GateDefault, seckill.GateMax),
		within("shutdown_timeout", c.ShutdownTimeout, time.Second, 10*time.Minute),
		within("audit.every", c.Audit.Every, 100*time.Millisecond, time.Hour),
		within("tokens.ttl", c.Tokens.TTL, time.Minute, identity.TokenTTLMax),
	)
}

func (c *Config) checkTokens() error {
	if len(c.Tokens.Keys) > 0 && c.Tokens.JWKSFile != "" {
		return errors.New("tokens.jwks_file: cannot be set along with tokens.keys; choose one")
	}
	known := make(map[string]bool, len(c.Tokens.Keys))
	for i, key := range c.Tokens.Keys {
		path := fmt.Sprintf("tokens.keys[%d]", i)
		if key.KID == "" {
			return fmt.Errorf("%s.kid: is missing; tokens name their key by it", path)
		}
		if known[key.KID] {
			return fmt.Errorf("%s.kid: %q is there twice", path, key.KID)
		}
		known[key.KID] = true
		if err := written(path, "secret", key.Secret, key.SecretFile, identity.SecretMin); err != nil {
			return err
		}
	}
	return nil
}

func (c *Config) checkOperators() error {
	known := make(map[string]bool, len(c.Operators))
	for i, operator := range c.Operators {
		path := fmt.Sprintf("operators[%d]", i)
		if err := seckill.UserID(operator.Name).Validate(); err != nil {
			return fmt.Errorf("%s.name: must be 1-64 letters, digits or _ . : @ -, got %q", path, operator.Name)
		}
		if known[operator.Name] {
			return fmt.Errorf("%s.name: %q is there twice", path, operator.Name)
		}
		known[operator.Name] = true
		if err := written(path, "key", operator.Key, operator.KeyFile, operatorKeyLeast); err != nil {
			return err
		}
	}
	return nil
}

func (c *Config) checkAccounts() error {
	if c.Accounts.Enabled && c.Tokens.JWKSFile != "" {
		return errors.New("accounts.enabled: must be false along with tokens.jwks_file, which holds no key to sign tokens with")
	}
	return firstOf(
		within("accounts.argon2.memory_kib", c.Accounts.Argon2.MemoryKiB, memoryLeastKiB, 1<<20),
		within("accounts.argon2.passes", c.Accounts.Argon2.Passes, 1, 64),
		within("accounts.argon2.threads", c.Accounts.Argon2.Threads, 1, 16),
		within("accounts.concurrent", c.Accounts.Concurrent, 1, 64),
		within("accounts.waiting", c.Accounts.Waiting, 1, 10_000),
	)
}

func (c *Config) checkLimits() error {
	return firstOf(
		within("limits.per_user_per_second", c.Limits.PerUserPerSecond, 1, 1_000_000),
		within("limits.per_user_burst", c.Limits.PerUserBurst, 1, 1_000_000),
		within("limits.pending", c.Limits.Pending, 1, 1_000_000),
		within("limits.backlog_age", c.Limits.BacklogAge, time.Second, time.Hour),
		within("limits.backlog_depth", c.Limits.BacklogDepth, 1, 100_000_000),
	)
}

func firstOf(failures ...error) error {
	for _, err := range failures {
		if err != nil {
			return err
		}
	}
	return nil
}

func oneOf[T ~string](key string, value T, choices ...T) error {
	if slices.Contains(choices, value) {
		return nil
	}
	names := make([]string, len(choices))
	for i, choice := range choices {
		names[i] = string(choice)
	}
	return fmt.Errorf("%s: must be %s, got %q", key, strings.Join(names, " or "), value)
}

func within[T cmp.Ordered](key string, value, least, most T) error {
	switch {
	case value < least:
		return fmt.Errorf("%s: must be at least %v, got %v", key, least, value)
	case value > most:
		return fmt.Errorf("%s: must be at most %v, got %v", key, most, value)
	default:
		return nil
	}
}

// written says that a secret is written in exactly one place; one in a file is measured when it is read.
func written(path, field string, text Secret, file string, least int) error {
	switch {
	case text == "" && file == "":
		return fmt.Errorf("%s.%s: is missing; write it here or name its file in %s_file", path, field, field)
	case text != "" && file != "":
		return fmt.Errorf("%s.%s: cannot be set along with %s_file; choose one", path, field, field)
	case file == "":
		return longEnough(path+"."+field, string(text), least)
	default:
		return nil
	}
}

func longEnough(key, secret string, least int) error {
	if len(secret) < least {
		return fmt.Errorf("%s: must have at least %d characters, got %d", key, least, len(secret))
	}
	return nil
}

func address(key, text string) error {
	_, port, err := net.SplitHostPort(text)
	if err != nil {
		return fmt.Errorf("%s: must be host:port or :port, got %q", key, text)
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return fmt.Errorf("%s: must end with a port from 0 to 65535, got %q", key, text)
	}
	return nil
}

// loopback says that only this machine reaches an address. A name other than localhost may be anything.
func loopback(text string) bool {
	host, _, err := net.SplitHostPort(text)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// guessable finds what somebody typed to get going.
func guessable(secret string) bool {
	letters := make(map[rune]bool)
	for _, r := range secret {
		letters[r] = true
	}
	plain := strings.ToLower(secret)
	return len(letters) < lettersLeast || slices.ContainsFunc(
		[]string{"changeme", "change-me", "change_me", "example", "placeholder", "password", "secret-secret"},
		func(word string) bool { return strings.Contains(plain, word) })
}

// isGenerated recognizes the keys that development made, however their path is written.
func (c *Config) isGenerated(file string) bool {
	path, errPath := filepath.Abs(file)
	folder, errFolder := filepath.Abs(filepath.Join(c.Data, keysFolder))
	return errPath == nil && errFolder == nil && filepath.Dir(path) == folder
}
