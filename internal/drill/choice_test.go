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

func TestPairsNeedTwoFaultsThatGoTogether(t *testing.T) {
	t.Parallel()
	for _, pair := range []string{"", "kill:api,stop:redis", "kill:redis,stop:rabbitmq", "wipe,kill", "stop:api,stop:worker,kill:keeper"} {
		if err := drill.CheckPairs(split(pair), false); err != nil {
			t.Errorf("%q: %v", pair, err)
		}
	}
	for _, none := range []string{"kill:redis", "kill", "kill:api,stop:api", "wipe,replace:rabbitmq", "kill-everything,kill:api"} {
		if err := drill.CheckPairs(split(none), false); err == nil || !strings.Contains(err.Error(), "choose more faults") {
			t.Errorf("%q: %v", none, err)
		}
	}
	if err := drill.CheckPairs(nil, true); err == nil || !strings.Contains(err.Error(), "the single binary has one victim") {
		t.Errorf("the single binary: %v", err)
	}
}

func split(faults string) []string {
	return strings.FieldsFunc(faults, func(r rune) bool { return r == ',' })
}
