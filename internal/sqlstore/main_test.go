package sqlstore_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/seckill-dev/seckill/internal/testenv"
)

var env testenv.Env

func TestMain(m *testing.M) {
	if folder := os.Getenv(holderVariable); folder != "" {
		os.Exit(holdLease(folder))
	}
	// dbresolver makes a store of prepared statements for each pool, used or not, with a cleaner that nobody can end.
	os.Exit(env.Main(m, goleak.IgnoreTopFunction("gorm.io/gorm/internal/lru.NewLRU[...].func1")))
}
