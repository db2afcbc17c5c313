package sqlstore_test

import (
	"strings"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/sqlstore"
)

func TestHolder(t *testing.T) {
	t.Parallel()
	t.Run("fits the column, however long the machine runs, and is read again", func(t *testing.T) {
		t.Parallel()
		const pidMax, century = 1 << 22, 100 * 365 * 24 * time.Hour
		machine, origin := strings.Repeat("f", 16), time.Now().Add(century).UnixMilli()
		ticks := century.Milliseconds() / 10
		text := sqlstore.HolderText(machine, pidMax, ticks, origin)
		if len(text) > 64 {
			t.Errorf("%d characters: %s", len(text), text)
		}
		if text == sqlstore.HolderText(machine, pidMax, ticks, origin) {
			t.Error("two leases of one process look alike")
		}
		m, p, s, o, ok := sqlstore.ReadHolder(text)
		if !ok || m != machine || p != pidMax || s != ticks || o != origin {
			t.Errorf("read %s %d %d %d %t", m, p, s, o, ok)
		}
	})
	t.Run("says nothing where nothing can be proven", func(t *testing.T) {
		t.Parallel()
		if _, _, _, _, ok := sqlstore.ReadHolder(sqlstore.HolderText("", 1, 2, 3)); ok {
			t.Error("it does")
		}
	})
}
