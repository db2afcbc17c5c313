package stage_test

import (
	"os"
	"testing"

	"github.com/seckill-dev/seckill/internal/testenv"
)

var env testenv.Env

func TestMain(m *testing.M) { os.Exit(env.Main(m)) }
