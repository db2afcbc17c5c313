package app_test

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/app"
	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	// buyersVariable says how many have bought of the item that is rebuilt; a million takes a minute.
	buyersVariable = "SECKILL_TEST_BUYERS"
	buyersDefault  = "20000"
	// rebuiltWithin bounds the rebuild of a million of them, from the loss to the next sale.
	rebuiltWithin = 20 * time.Second
	// chunkMost is how many buyers may be on their way to Redis at one time.
	chunkMost = 1000
)

// TestManyBuyers rebuilds an item that very many have bought: they are streamed, and it sells again soon.
func TestManyBuyers(t *testing.T) {
	t.Parallel()
	buyers, err := strconv.ParseInt(cmp.Or(os.Getenv(buyersVariable), buyersDefault), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	s := newShop(t)
	s.tampers = true
	s.watching.Do(func() {})
	s.config.Audit.Every, s.config.Audit.CloseGate = time.Hour, false
	stream := &streamed{}
	s.start(stream.option)
	s.preload(buyers+10, 1, -time.Second, time.Hour)
	s.awaitLive()
	s.haveBought(buyers)
	s.emptyRedis()
	lost := time.Now()
	s.await("the next epoch is open", func() bool { return s.sellsAnew() })
	if _, err := s.insist("latecomer", 1, "latecomers-key"); err != nil {
		t.Error(err)
	}
	wantWithin(t, fmt.Sprintf("%d buyers, loaded in %v: sells again", buyers, stream.took()), time.Since(lost), rebuiltWithin)
	if loaded := stream.loaded.Load(); loaded < buyers || stream.most.Load() > chunkMost {
		t.Errorf("%d buyers were loaded, up to %d at a time", loaded, stream.most.Load())
	}
	_, err = s.askInVain(buyerName(buyers-1), 1, "")
	wantReason(t, err, seckill.LimitReached)
}

func buyerName(n int64) seckill.UserID { return seckill.UserID(fmt.Sprintf("buyer-%07d", n)) }

// haveBought writes claims as if so many had bought one unit each, and been settled and ordered.
func (s *shop) haveBought(buyers int64) {
	s.t.Helper()
	now := time.Now().UnixMilli()
	const rows = 500
	for from := int64(0); from < buyers; from += rows {
		var text strings.Builder
		var args []any
		text.WriteString("INSERT INTO claims (id, item, user_id, quantity, key_hash, epoch, state, reason, first_id, ordered, created_at) VALUES ")
		for n := from; n < min(from+rows, buyers); n++ {
			id, err := s.system.Backend.IDs.Next(buyerName(n).Bucket())
			if err != nil {
				s.t.Fatal(err)
			}
			if n > from {
				text.WriteString(", ")
			}
			text.WriteString("(?, ?, ?, 1, ?, 1, 'held', '', 0, 1, ?)")
			args = append(args, int64(id), int64(s.item.ID), string(buyerName(n)), id.String(), now)
		}
		s.exec(text.String(), args...)
	}
	s.exec(`UPDATE stock SET lent = lent - ?, claimed = ?, accounted = ?, high = ?, claimed_at = ?, version = version + 1 WHERE item = ?`,
		buyers, buyers, buyers, buyers, now, s.item.ID)
}

// streamed sees the buyers of a rebuild pass by.
type streamed struct {
	loaded, most, first, last atomic.Int64
}

func (s *streamed) option(b *app.Backend) { b.Lent = streamedLent{b.Lent, s} }

func (s *streamed) took() time.Duration {
	return time.Duration(s.last.Load() - s.first.Load()).Round(10 * time.Millisecond)
}

type streamedLent struct {
	seckill.Lent
	*streamed
}

func (l streamedLent) LoadBuyers(ctx context.Context, item seckill.ID, epoch int64, attempt seckill.ID, buyers []seckill.Buyer) error {
	l.first.CompareAndSwap(0, time.Now().UnixNano())
	err := l.Lent.LoadBuyers(ctx, item, epoch, attempt, buyers)
	l.last.Store(time.Now().UnixNano())
	l.loaded.Add(int64(len(buyers)))
	l.most.Store(max(l.most.Load(), int64(len(buyers))))
	return err
}
