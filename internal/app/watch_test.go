package app_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/app"
	"github.com/seckill-dev/seckill/internal/audit"
	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	// watchEvery is the rhythm of a watchman, watchItemsMax how many items he looks at each time, one after the other.
	watchEvery    = 500 * time.Millisecond
	watchItemsMax = 4
	// lastLookWithin bounds the look at the end of a test that nobody could look at so far: its stores may be on their way back.
	lastLookWithin = 20 * time.Second
)

// watchman audits the units of a system while a test does its worst to it: whatever is under way, each snapshot has to add
// up by itself. Stores may be away; then there is nothing to see.
type watchman struct {
	books  seckill.Books
	shards seckill.Shards
	wrong  func(findings []audit.Finding, facts seckill.StockFacts)
	// rounds went through, snapshots are the items judged in them, missed the rounds that a store was away.
	rounds, snapshots, missed int
}

// watch has the units of a system watched until the test ends, and fails it when they do not add up once, or when nobody could
// look at all. The system must have begun once, and be gone after this test.
func watch(t *testing.T, config app.Config) {
	t.Helper()
	var first sync.Once
	w := &watchman{wrong: func(findings []audit.Finding, facts seckill.StockFacts) {
		first.Do(func() { t.Errorf("in the middle of it: %+v\n%+v", findings, facts) })
	}}
	w.books, w.shards = app.OpenBooks(t, config)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan struct{})
	go func() { w.keepWatch(ctx); close(ended) }()
	t.Cleanup(func() {
		cancel()
		<-ended
		last, done := context.WithTimeout(context.WithoutCancel(ctx), lastLookWithin)
		defer done()
		for !w.look(last) && w.rounds == 0 && last.Err() == nil {
			<-time.After(watchEvery)
		}
		t.Logf("watched: %d rounds, %d snapshots, %d times nothing to see", w.rounds, w.snapshots, w.missed)
		if w.rounds == 0 {
			t.Error("nobody has watched the units")
		}
	})
}

// keepWatch looks until ctx ends.
func (w *watchman) keepWatch(ctx context.Context) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for w.look(ctx) || ctx.Err() == nil {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// look judges some items of each shard, others than the last time where there are many, and says whether it could.
func (w *watchman) look(ctx context.Context) bool {
	for shard := range w.shards.Count() {
		items, err := w.books.StockItems(ctx, shard)
		for i := range min(len(items), watchItemsMax) {
			if err == nil {
				err = w.judge(ctx, items[(w.rounds*watchItemsMax+i)%len(items)])
			}
		}
		if err != nil {
			w.missed++
			return false
		}
	}
	w.rounds++
	return true
}

func (w *watchman) judge(ctx context.Context, item seckill.ID) error {
	facts, err := w.books.Facts(ctx, item)
	if err != nil {
		return err
	}
	w.snapshots++
	if findings := audit.Conserved(facts); len(findings) > 0 {
		w.wrong(findings, facts)
	}
	return nil
}

func TestWatch(t *testing.T) {
	t.Parallel()
	t.Run("sees units that are not where the books say, and nothing while stores are away", seesWhatIsWrong)
}

func seesWhatIsWrong(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.watching.Do(func() {}) // nobody else may see what follows
	s.tampers = true
	s.start()
	s.preload(10, 3, -time.Second, time.Hour)
	s.mustInsist(2, "ann-buys-two")
	s.settled()
	var seen []string
	w := &watchman{wrong: func(findings []audit.Finding, _ seckill.StockFacts) {
		for _, f := range findings {
			seen = append(seen, f.ID)
		}
	}}
	w.books, w.shards = app.OpenBooks(t, s.config)
	sees := func(want ...string) {
		t.Helper()
		seen = nil
		if !w.look(t.Context()) || !slices.Equal(seen, want) {
			t.Errorf("sees %v, want %v", seen, want)
		}
	}
	sees()
	// A unit more than was sold, in one transaction with nothing else: what nobody would notice who looks at the row alone.
	s.exec("UPDATE claims SET quantity = quantity + 1 WHERE item = ?", s.item.ID)
	sees("claimed", "accounted")
	s.exec("UPDATE claims SET quantity = quantity - 1 WHERE item = ?", s.item.ID)
	sees()
	s.exec("PRAGMA ignore_check_constraints = ON")
	s.exec("UPDATE stock SET claimed = claimed + 1 WHERE item = ?", s.item.ID)
	sees("conservation", "claimed")
	s.exec("UPDATE stock SET claimed = claimed - 1 WHERE item = ?", s.item.ID)
	s.exec("PRAGMA ignore_check_constraints = OFF")
	away, cancel := context.WithCancel(t.Context())
	cancel()
	if w.look(away) || w.missed != 1 || w.rounds != 4 {
		t.Errorf("%d rounds, %d missed", w.rounds, w.missed)
	}
}

// exec changes the tables of an item's home shard behind the system's back.
func (s *shop) exec(statement string, args ...any) {
	s.t.Helper()
	write, _, err := s.stocks().SQL(seckill.HomeShard(s.system.Backend.Shards, s.item.ID))
	if err == nil {
		_, err = write.ExecContext(s.t.Context(), statement, args...)
	}
	if err != nil {
		s.t.Fatal(err)
	}
}
