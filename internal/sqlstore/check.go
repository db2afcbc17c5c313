package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Warning is something about a shard that a sale should not rely on: reason to refuse the start in production.
type Warning struct {
	Shard int
	Text  string
}

// String is the warning in one line.
func (w Warning) String() string { return fmt.Sprintf("shard %d: %s", w.Shard, w.Text) }

// skewMax is how far the clocks of two shards may be apart: what one writes, deadlines on another are judged by.
const skewMax = time.Second

// Check looks whether the databases keep what the store promises. An error says that one could not be asked.
func (s *Store) Check(ctx context.Context) ([]Warning, error) {
	var warnings []Warning
	for i := range s.shards {
		texts, err := s.checkShard(ctx, i)
		if err != nil {
			return nil, fmt.Errorf("check shard %d: %w", i, dbError(err))
		}
		for _, text := range texts {
			warnings = append(warnings, Warning{Shard: i, Text: text})
		}
	}
	skewed, err := s.checkClocks(ctx)
	return append(warnings, skewed...), err
}

func (s *Store) checkShard(ctx context.Context, shard int) ([]string, error) {
	version, settings, err := s.settings(ctx, shard)
	if err != nil {
		return nil, err
	}
	texts := s.dialect.doubts(version, settings)
	oversells, err := s.oversells(ctx, shard)
	if err != nil {
		return nil, err
	}
	if oversells {
		texts = append(texts, "CHECK constraints are not enforced: nothing would refuse to sell more than there is")
	}
	pending, err := s.pending(ctx, shard)
	if err != nil {
		return nil, err
	}
	if pending {
		texts = append(texts, "the schema is older than this program: migrate it")
	}
	return texts, nil
}

// settings reads a server's version and variables; a file has none.
func (s *Store) settings(ctx context.Context, shard int) (version string, settings map[string]string, err error) {
	if s.dialect == (sqliteDialect{}) {
		return "", nil, nil
	}
	db := s.shards[shard].write.WithContext(ctx)
	if err := db.Raw("SELECT VERSION()").Scan(&version).Error; err != nil {
		return "", nil, err
	}
	var rows []struct {
		Name  string `gorm:"column:Variable_name"`
		Value string `gorm:"column:Value"`
	}
	if err := db.Raw("SHOW SESSION VARIABLES WHERE Variable_name IN ?", checkedSettings()).Scan(&rows).Error; err != nil {
		return "", nil, err
	}
	settings = make(map[string]string, len(rows))
	for _, row := range rows {
		settings[row.Name] = row.Value
	}
	return version, settings, nil
}

// errTried ends a transaction that was only a trial.
var errTried = errors.New("tried")

// oversells tries to write a stock row that has given out a unit it never had, and takes it back.
func (s *Store) oversells(ctx context.Context, shard int) (bool, error) {
	err := s.inTx(ctx, shard, func(tx *gorm.DB) error {
		err := tx.Exec(`INSERT INTO stock (item, allotted, pool, lent, doubt, claimed, epoch, state, final, halted, attempt,
			issue, high, accounted, ceiling, owed_decrease, gate_ms, since, progress, claimed_at, sealed_at, version)
			VALUES (0, 0, -1, 0, 0, 1, 0, ?, 0, '', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)`, seckill.StockNew).Error
		if err != nil {
			return err
		}
		return errTried
	})
	switch {
	case errors.Is(err, errTried):
		return true, nil
	case failureOf(err) == refusedFailure:
		return false, nil
	default:
		return false, err
	}
}

func (s *Store) pending(ctx context.Context, shard int) (pending bool, err error) {
	m, err := s.dialect.migrator(s.shards[shard])
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, m.end()) }()
	return m.HasPending(ctx)
}

// checkClocks compares the shards' clocks with this process's, each as well as the round trip allows.
func (s *Store) checkClocks(ctx context.Context) ([]Warning, error) {
	ahead := make([]time.Duration, len(s.shards))
	unsure := make([]time.Duration, len(s.shards))
	for i := range s.shards {
		asked := s.clock.Now()
		now, err := s.now(ctx, i)
		if err != nil {
			return nil, err
		}
		unsure[i] = s.clock.Now().Sub(asked) / 2
		ahead[i] = now.Sub(asked.Add(unsure[i]))
	}
	first := slices.Index(ahead, slices.Min(ahead))
	var warnings []Warning
	for i := range s.shards {
		if apart := ahead[i] - ahead[first]; apart > skewMax+unsure[i]+unsure[first] {
			text := fmt.Sprintf("its clock is %s ahead of shard %d's", apart.Round(time.Millisecond), first)
			warnings = append(warnings, Warning{Shard: i, Text: text})
		}
	}
	return warnings, nil
}
