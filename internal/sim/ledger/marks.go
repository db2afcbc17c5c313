package ledger

import (
	"context"
	"fmt"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// process is the heartbeat of one incarnation, and its marks by item.
type process struct {
	beat  seckill.Heartbeat
	marks map[seckill.ID]seckill.Mark
}

// Marks keeps heartbeats and marks on each shard.
type Marks struct{ *Ledger }

var _ seckill.Marks = Marks{}

// Now implements seckill.Marks.
func (m Marks) Now(ctx context.Context, shard int) (now time.Time, err error) {
	err = m.on(ctx, shard, func(db *database) error {
		now = db.now()
		return nil
	})
	if err != nil {
		return time.Time{}, fmt.Errorf("read the clock of shard %d: %w", shard, err)
	}
	return now, nil
}

// Beat implements seckill.Marks. Within an epoch a mark never falls, and an older epoch's never replaces a newer one's; a
// heartbeat never goes back, and who has left stays gone.
func (m Marks) Beat(ctx context.Context, shard int, beat seckill.Beat) error {
	err := m.on(ctx, shard, func(db *database) error {
		p := db.marks.get(beat.Incarnation)
		if p == nil {
			db.marks.put(beat.Incarnation, process{
				beat: seckill.Heartbeat{Incarnation: beat.Incarnation}, marks: make(map[seckill.ID]seckill.Mark),
			})
			p = db.marks.get(beat.Incarnation)
		}
		if begun := stored(beat.Begun); begun.After(p.beat.Begun) {
			p.beat.Begun = begun
		}
		p.beat.Left = p.beat.Left || beat.Left
		if db.lacks(LackMarkForgets) {
			clear(p.marks)
		}
		for _, mark := range beat.Marks {
			if known, is := p.marks[mark.Item]; !is || db.lacks(LackMarkHighest) || rises(known, mark) {
				p.marks[mark.Item] = mark
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("beat on shard %d: %w", shard, err)
	}
	return nil
}

// rises says whether a mark may replace a known one.
func rises(known, mark seckill.Mark) bool {
	return mark.Epoch > known.Epoch || mark.Epoch == known.Epoch && mark.Sold > known.Sold
}

// Heartbeats implements seckill.Marks.
func (m Marks) Heartbeats(ctx context.Context, shard int, since time.Time) (beats []seckill.Heartbeat, err error) {
	err = m.on(ctx, shard, func(db *database) error {
		for _, p := range db.marks.all() {
			if p.beat.Begun.After(stored(since)) {
				beats = append(beats, p.beat)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the heartbeats on shard %d: %w", shard, err)
	}
	return beats, nil
}

// Highest implements seckill.Marks.
func (m Marks) Highest(ctx context.Context, item seckill.ID, epoch int64) (sold int64, err error) {
	err = m.on(ctx, m.router.home(item), func(db *database) error {
		for _, p := range db.marks.all() {
			if mark, marked := p.marks[item]; marked && mark.Epoch == epoch {
				sold = max(sold, mark.Sold)
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("read the highest mark of item %s: %w", item, err)
	}
	return sold, nil
}

// Forget implements seckill.Marks.
func (m Marks) Forget(ctx context.Context, shard int, before time.Time) error {
	err := m.on(ctx, shard, func(db *database) error {
		var silent []seckill.ID
		for incarnation, p := range db.marks.all() {
			if p.beat.Begun.Before(stored(before)) {
				silent = append(silent, incarnation)
			}
		}
		for _, incarnation := range silent {
			db.marks.drop(incarnation)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("forget old marks on shard %d: %w", shard, err)
	}
	return nil
}
