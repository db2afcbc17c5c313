package redis_test

import (
	"crypto/tls"
	"slices"
	"strings"
	"testing"

	"github.com/seckill-dev/seckill/internal/redis"
	"github.com/seckill-dev/seckill/internal/testenv"
	"github.com/seckill-dev/seckill/internal/testenv/server"
)

func TestCheck(t *testing.T) {
	t.Parallel()

	t.Run("finds nothing wrong with a server as a sale needs it", func(t *testing.T) {
		t.Parallel()
		found := openLent(t, redis.Options{Addresses: []string{env.Redis(t)}, CallTimeout: patient}).Check(t.Context())
		if len(found.Warnings)+len(found.Absent) > 0 {
			t.Errorf("found %+v", found)
		}
	})

	t.Run("names what a server does not keep, without asking CONFIG", func(t *testing.T) {
		t.Parallel()
		n := startNode(t)
		for setting, value := range map[string]string{"maxmemory-policy": "allkeys-lru", "appendonly": "no"} {
			fatal(t, n.raw.ConfigSet(t.Context(), setting, value).Err())
		}
		wantWarnings(t, n.enter(t, "+@all", "-config").Check(t.Context()),
			"set appendonly yes", "has maxmemory-policy allkeys-lru", "set maxmemory-policy noeviction")
	})

	t.Run("names a replica and its master", func(t *testing.T) {
		t.Parallel()
		a, b := startNode(t), startNode(t)
		b.follow(t, a)
		wantWarnings(t, b.lent.Check(t.Context()), "is a replica of "+a.Addr(), "redis.addresses")
	})

	t.Run("waits for a server that is away", func(t *testing.T) {
		t.Parallel()
		n := startNode(t)
		n.Kill(t)
		if found := n.lent.Check(t.Context()); len(found.Warnings) > 0 || len(found.Absent) != 1 {
			t.Errorf("found %+v", found)
		}
		n.Restart(t)
		if found := n.lent.Check(t.Context()); len(found.Warnings)+len(found.Absent) > 0 {
			t.Errorf("found %+v", found)
		}
	})
}

func TestCheckAtTheDoor(t *testing.T) {
	t.Parallel()

	t.Run("says who may not enter, and who may not ask", func(t *testing.T) {
		t.Parallel()
		n := startNode(t)
		wantWarnings(t, n.enter(t, "+@all", "-info").Check(t.Context()), "ACL SETUSER <user> +info")
		stranger := redis.Options{Addresses: []string{n.Addr()}, Username: "stranger", Password: "guessed", CallTimeout: patient}
		wantWarnings(t, openLent(t, stranger).Check(t.Context()), "WRONGPASS", "redis.login")
	})

	t.Run("says that a server is not who it should be", func(t *testing.T) {
		t.Parallel()
		authority := testenv.NewAuthority(t, t.TempDir())
		certificate, key := authority.Issue(t, "redis")
		secure, err := server.OpenRedis(t.Context(), server.Options{
			TLS: &server.TLS{CAFile: authority.File, CertFile: certificate, KeyFile: key},
		})
		fatal(t, err)
		t.Cleanup(secure.Close)
		options := redis.Options{Addresses: []string{secure.SecureAddr()}, TLS: &tls.Config{MinVersion: tls.VersionTLS12}, CallTimeout: patient}
		wantWarnings(t, openLent(t, options).Check(t.Context()), "unknown authority", "check redis.tls")
	})
}

func TestCheckOfACluster(t *testing.T) {
	t.Parallel()

	t.Run("knows a server alone from a cluster", func(t *testing.T) {
		t.Parallel()
		alone := openLent(t, redis.Options{Addresses: []string{env.Redis(t)}, Cluster: true, CallTimeout: patient})
		wantWarnings(t, alone.Check(t.Context()), "redis.cluster: false")
		c := startCluster(t)
		one := openLent(t, redis.Options{Addresses: []string{c.nodes[0].addr}, CallTimeout: patient})
		wantWarnings(t, one.Check(t.Context()), "redis.cluster: true")
	})

	t.Run("asks every master of a cluster", func(t *testing.T) {
		t.Parallel()
		c := startCluster(t)
		lent := openLent(t, c.options(patient))
		if found := lent.Check(t.Context()); len(found.Warnings)+len(found.Absent) > 0 {
			t.Errorf("found %+v", found)
		}
		fatal(t, c.nodes[2].client(t).ConfigSet(t.Context(), "appendonly", "no").Err())
		fatal(t, c.nodes[1].process.Process.Kill())
		found := lent.Check(t.Context())
		wantWarnings(t, found, "set appendonly yes")
		if found.Warnings[0].Node != c.nodes[2].addr || len(found.Absent) != 1 || !strings.Contains(found.Absent[0].Error(), c.nodes[1].addr) {
			t.Errorf("found %+v", found)
		}
	})
}

// enter is a client of a user with these rights.
func (n node) enter(t *testing.T, rights ...string) *redis.Lent {
	t.Helper()
	rule := []any{"ACL", "SETUSER", "shop", "on", ">secret", "~*", "&*"}
	for _, right := range rights {
		rule = append(rule, right)
	}
	fatal(t, n.raw.Do(t.Context(), rule...).Err())
	return openLent(t, redis.Options{Addresses: []string{n.Addr()}, Username: "shop", Password: "secret", CallTimeout: patient})
}

// wantWarnings holds the warnings against what they must say.
func wantWarnings(t *testing.T, found redis.Checkup, words ...string) {
	t.Helper()
	for _, want := range words {
		if !slices.ContainsFunc(found.Warnings, func(w redis.Warning) bool { return strings.Contains(w.Text, want) }) {
			t.Errorf("nothing says %q: %+v", want, found)
		}
	}
}
