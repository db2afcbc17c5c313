package sqlstore

import (
	"context"
	"errors"
	"fmt"
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

// clockWithin bounds one look at a clock.
const clockWithin = time.Second

// Check looks, past its guard, whether a shard keeps what the store promises. An error says that it could not be asked.
func (s *Store) Check(ctx context.Context, shard int) ([]Warning, error) {
	texts, err := s.doubts(ctx, shard)
	if err == nil {
		var skewed string
		if skewed, err = s.checkClock(ctx, shard); skewed != "" {
			texts = append(texts, skewed)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("check shard %d: %w", shard, dbError(err))
	}
	warnings := make([]Warning, len(texts))
	for i, text := range texts {
		warnings[i] = Warning{Shard: shard, Text: text}
	}
	return warnings, nil
}

func (s *Store) doubts(ctx context.Context, shard int) ([]string, error) {
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
	err := s.transact(ctx, shard, func(tx *gorm.DB) error {
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

// reading is how far a shard's clock is ahead of this process's, as well as the round trip allows.
type reading struct{ ahead, unsure time.Duration }

func (s *Store) readClock(ctx context.Context, shard int) (reading, error) {
	ctx, cancel := context.WithTimeout(ctx, clockWithin)
	defer cancel()
	asked := s.clock.Now()
	now, err := s.clockOf(s.primary(ctx, shard))
	unsure := s.clock.Now().Sub(asked) / 2
	return reading{ahead: now.Sub(asked.Add(unsure)), unsure: unsure}, err
}

// checkClock compares a shard's clock with that of the first other shard that answers.
func (s *Store) checkClock(ctx context.Context, shard int) (string, error) {
	own, err := s.readClock(ctx, shard)
	if err != nil {
		return "", err
	}
	for i := range s.shards {
		if i == shard {
			continue
		}
		other, err := s.readClock(ctx, i)
		if err != nil {
			continue // it is compared when it is back
		}
		if apart := (own.ahead - other.ahead).Abs(); apart > skewMax+own.unsure+other.unsure {
			return fmt.Sprintf("its clock is %s away from shard %d's", apart.Round(time.Millisecond), i), nil
		}
		return "", nil
	}
	return "", nil
}
