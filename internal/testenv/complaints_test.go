package testenv_test

import (
	"slices"
	"testing"

	"github.com/seckill-dev/seckill/internal/testenv"
)

func TestComplaints(t *testing.T) {
	t.Parallel()
	const warned, failed = "api-0: level=WARN msg=unsafe\n", "level=ERROR msg=\"no way on\"\n"
	got := testenv.Complaints("level=INFO msg=serving\n" + warned +
		"level=WARN msg=\"job failed\" error=\"read: i/o timeout\"\nlevel=WARN msg=late error=\"context deadline exceeded\"\n" + failed)
	if !slices.Equal(got, []string{warned, failed}) {
		t.Errorf("got %q", got)
	}
}
