package stage_test

import (
	"errors"
	"math"
	"testing"

	"github.com/seckill-dev/seckill/loadtest/bench/stage"
)

func TestPeakOfReadsWhatTheKernelSays(t *testing.T) {
	t.Parallel()
	got, err := stage.PeakOf("Name:\tseckill\nVmPeak:\t 1999999 kB\nVmHWM:\t  123456 kB\nVmRSS:\t   99999 kB\n")
	if err != nil || got != 123456<<10 {
		t.Errorf("%d, %v", got, err)
	}
	for _, strange := range []string{"", "VmRSS:\t 12 kB\n", "VmHWM:\t many kB\n", "VmHWM:\t 12 MB\n"} {
		if got, err := stage.PeakOf(strange); err == nil {
			t.Errorf("%q is read as %d", strange, got)
		}
	}
}

func TestAllowConnectionsSaysWhenThereIsNoRoom(t *testing.T) {
	t.Parallel()
	if err := stage.AllowConnections(1); err != nil {
		t.Errorf("one connection: %v", err)
	}
	if err := stage.AllowConnections(math.MaxInt32); !errors.Is(err, stage.ErrNoRoom) {
		t.Errorf("more than any kernel allows: %v", err)
	}
}
