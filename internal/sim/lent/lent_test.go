package lent_test

import (
	"context"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/contract"
	"github.com/seckill-dev/seckill/internal/redis"
	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sim/lent"
	"github.com/seckill-dev/seckill/internal/testenv"
)

var env testenv.Env

func TestMain(m *testing.M) {
	redis.LogTo(slog.New(slog.DiscardHandler))
	os.Exit(env.Main(m))
}

func TestLent(t *testing.T) {
	t.Parallel()
	contract.Lent(t, model)
}

func TestAgreesWithServer(t *testing.T) {
	t.Parallel()
	// Everything runs at once here, so a reply may take its time.
	contract.LentAgree(t, model(t), server(t, redis.Options{Addresses: []string{env.Redis(t)}, CallTimeout: 10 * time.Second}))
}

func TestAgreesWithEmbedded(t *testing.T) {
	t.Parallel()
	embedded, err := redis.OpenEmbedded(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { check(t, embedded.Close()) })
	contract.LentAgree(t, model(t), contract.LentFixture{Lent: embedded.Lent})
}

func model(t testing.TB) contract.LentFixture {
	t.Helper()
	r := lent.New(seckill.SystemClock{})
	client := r.Client()
	return contract.LentFixture{
		Lent: client, Announcements: client, ForgetScripts: func(testing.TB) {}, Elsewhere: elsewhere{client, r},
	}
}

// elsewhere is what another server would serve after a full sync.
type elsewhere struct {
	seckill.Lent
	from *lent.Redis
}

func (e elsewhere) sync() *lent.Client {
	r := lent.New(seckill.SystemClock{})
	r.Restore(e.from.Snapshot())
	return r.Client()
}

func (e elsewhere) Reserve(ctx context.Context, item, batch seckill.ID, requests []seckill.ReserveRequest) (seckill.ReserveReply, error) {
	return e.sync().Reserve(ctx, item, batch, requests)
}

func (e elsewhere) Look(ctx context.Context, item seckill.ID, requests []seckill.LookRequest) ([]seckill.LookAnswer, error) {
	return e.sync().Look(ctx, item, requests)
}

func server(t testing.TB, options redis.Options) contract.LentFixture {
	t.Helper()
	client, err := redis.OpenLent(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { check(t, client.Close()) })
	return contract.LentFixture{Lent: client}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}
