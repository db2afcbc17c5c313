package redis_test

import (
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/contract"
	"github.com/seckill-dev/seckill/internal/redis"
	"github.com/seckill-dev/seckill/internal/testenv"
)

var env testenv.Env

func TestMain(m *testing.M) {
	redis.LogTo(slog.New(slog.DiscardHandler))
	os.Exit(env.Main(m))
}

func TestLentEmbedded(t *testing.T) {
	t.Parallel()
	contract.Lent(t, openEmbedded)
}

func TestLentServer(t *testing.T) {
	t.Parallel()
	contract.Lent(t, func(t testing.TB) contract.LentFixture {
		t.Helper()
		return openServer(t, env.Redis(t))
	})
}

// openEmbedded is a Redis of its own in this process.
func openEmbedded(t testing.TB) contract.LentFixture {
	t.Helper()
	e := embedded(t)
	elsewhere := e.Options()
	elsewhere.FixedIdentity = redis.Identity{RunID: "promoted", ReplicationID: "promoted"}
	return contract.LentFixture{
		Lent:          e.Lent,
		Announcements: e.Announcements,
		Elsewhere:     openLent(t, elsewhere),
		ForgetScripts: func(t testing.TB) { t.Helper(); forgetScripts(t, e.Options()) },
	}
}

// openServer connects to a real Redis.
func openServer(t testing.TB, addr string) contract.LentFixture {
	t.Helper()
	// Everything runs at once here, so a reply may take its time.
	options := redis.Options{Addresses: []string{addr}, CallTimeout: 10 * time.Second}
	announcements, err := redis.OpenAnnouncements(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { check(t, announcements.Close()) })
	return contract.LentFixture{
		Lent:          openLent(t, options),
		Announcements: announcements,
		ForgetScripts: func(t testing.TB) { t.Helper(); forgetScripts(t, options) },
	}
}

func openLent(t testing.TB, options redis.Options) *redis.Lent {
	t.Helper()
	lent, err := redis.OpenLent(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { check(t, lent.Close()) })
	return lent
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

func TestLentEmbeddedAndServerAgree(t *testing.T) {
	t.Parallel()
	contract.LentAgree(t, openEmbedded(t), openServer(t, env.Redis(t)))
}

func TestLentIsLinear(t *testing.T) {
	t.Parallel()
	t.Run("embedded", func(t *testing.T) {
		t.Parallel()
		contract.LentLinear(t, openEmbedded)
	})
	t.Run("server", func(t *testing.T) {
		t.Parallel()
		contract.LentLinear(t, func(t testing.TB) contract.LentFixture {
			t.Helper()
			return openServer(t, env.Redis(t))
		})
	})
}

func TestLentIsNotLinear(t *testing.T) {
	t.Parallel()
	contract.LentLinearFinds(t, openEmbedded)
}
