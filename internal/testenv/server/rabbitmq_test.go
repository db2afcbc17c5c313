package server_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/seckill-dev/seckill/internal/testenv/server"
)

func TestTheBrokerLeavesNoPortMapperBehind(t *testing.T) {
	before := portMappers(t)
	r, err := server.OpenRabbitMQ(t.Context(), server.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := r.MindPortMapper(t.Context()); err != nil {
		t.Fatal(err)
	}
	if after := portMappers(t); !slices.Equal(before, after) {
		t.Errorf("port mappers: %v, before %v", after, before)
	}
}

// portMappers lists the epmd processes of this machine.
func portMappers(t *testing.T) []string {
	t.Helper()
	names, err := filepath.Glob("/proc/[0-9]*/comm")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, name := range names {
		comm, err := os.ReadFile(name)
		if err != nil && !errors.Is(err, os.ErrNotExist) && !errors.Is(err, syscall.ESRCH) {
			t.Fatal(err)
		}
		if strings.TrimSpace(string(comm)) == "epmd" {
			found = append(found, name)
		}
	}
	return found
}
