package sqlstore_test

import (
	"os"
	"testing"

	"github.com/seckill-dev/seckill/internal/testenv"
)

var env testenv.Env

func TestMain(m *testing.M) {
	if folder := os.Getenv(holderVariable); folder != "" {
		os.Exit(holdLease(folder))
	}
	os.Exit(env.Main(m))
}
