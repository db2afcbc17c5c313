package server_test

import (
	"testing"

	"github.com/seckill-dev/seckill/internal/testenv/server"
)

func TestFreePortGivesEachOnce(t *testing.T) {
	t.Parallel()
	given := map[int]bool{}
	for range 500 {
		port, err := server.FreePort()
		if err != nil {
			t.Fatal(err)
		}
		if given[port] {
			t.Fatalf("%d is given twice", port)
		}
		given[port] = true
	}
}
