package drill_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/seckill-dev/seckill/internal/drill"
)

func TestFaultsCanBeChosen(t *testing.T) {
	t.Parallel()
	played := func(wanted ...string) []string {
		lines := drill.Chosen(wanted...)
		slices.Sort(lines)
		return slices.Compact(lines)
	}
	t.Run("all victims of one, some of another", func(t *testing.T) {
		t.Parallel()
		got := played("stop:mariadb", "fill-disk", "kill:api-1")
		want := []string{"fill-disk rabbitmq", "fill-disk redis", "kill api-1", "stop mariadb-0", "stop mariadb-1"}
		if !slices.Equal(got, want) {
			t.Errorf("plays %v, want %v", got, want)
		}
	})
	t.Run("one alone, again and again", func(t *testing.T) {
		t.Parallel()
		if got := drill.Chosen("wipe"); len(got) < 100 || slices.Compact(got)[0] != "wipe redis" {
			t.Errorf("plays %v", got)
		}
	})
	t.Run("and who asks for others is told which there are", func(t *testing.T) {
		t.Parallel()
		if err := drill.CheckFaults([]string{"kill", "delete-queues", "kill-everything", "stop:sandbox-0"}, false); err != nil {
			t.Error(err)
		}
		for _, unknown := range []string{"flood", "wipe:mariadb", ""} {
			err := drill.CheckFaults([]string{"kill", unknown}, false)
			if err == nil || !strings.Contains(err.Error(), "block-publishers:rabbitmq, cut-off:mariadb,") {
				t.Errorf("%q: %v", unknown, err)
			}
		}
		if err := drill.CheckFaults([]string{"wipe"}, true); err == nil || !strings.Contains(err.Error(), "kill-again-and-again:up") {
			t.Errorf("the single binary: %v", err)
		}
	})
}
