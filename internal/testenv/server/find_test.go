package server_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/seckill-dev/seckill/internal/testenv/server"
)

func TestAMissingServerSaysHowToGetIt(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := server.OpenRedis(t.Context(), server.Options{Dir: t.TempDir()})
	var missing *server.MissingError
	if !errors.As(err, &missing) || !strings.Contains(err.Error(), "redis-server is not installed: ") ||
		!strings.Contains(err.Error(), "apt-get install redis-server") {
		t.Errorf("got %v", err)
	}
}
