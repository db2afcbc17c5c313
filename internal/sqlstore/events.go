package sqlstore

import (
	"fmt"

	"gorm.io/gorm"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// tell writes what the shop is told into the shard that tx is on; the ids are made here, in the subjects' buckets.
func (s *Store) tell(tx *gorm.DB, events []seckill.Event) error {
	rows := make([][]any, len(events))
	for i, e := range events {
		id, err := s.ids.Next(e.Subject.Bucket())
		if err != nil {
			return err
		}
		rows[i] = []any{id, e.Type, e.Subject, e.Version, string(e.Data)}
	}
	_, err := insert{
		into: "events (id, type, subject, version, data, at, spread)",
		row:  "(?,?,?,?,?," + s.dialect.now() + ",0)",
	}.run(tx, rows)
	if err != nil {
		return fmt.Errorf("write %d events: %w", len(events), err)
	}
	return nil
}
