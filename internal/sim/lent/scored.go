package lent

import (
	"cmp"
	"slices"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// scored is a sorted set: batches by Redis ms, and by their text within one.
type scored []scoredBatch

type scoredBatch struct {
	batch seckill.ID
	milli int64
}

func (s scored) at(batch seckill.ID) int {
	return slices.IndexFunc(s, func(b scoredBatch) bool { return b.batch == batch })
}

func (s scored) has(batch seckill.ID) bool { return s.at(batch) >= 0 }

// add adds a batch or gives it another score.
func (s *scored) add(batch seckill.ID, milli int64) {
	s.remove(batch)
	b := scoredBatch{batch, milli}
	at, _ := slices.BinarySearchFunc(*s, b, compareScored)
	*s = slices.Insert(*s, at, b)
}

func (s *scored) remove(batch seckill.ID) bool {
	at := s.at(batch)
	if at < 0 {
		return false
	}
	*s = slices.Delete(*s, at, at+1)
	return true
}

func compareScored(a, b scoredBatch) int {
	if a.milli != b.milli {
		return cmp.Compare(a.milli, b.milli)
	}
	if a.batch == b.batch {
		return 0
	}
	return cmp.Compare(a.batch.String(), b.batch.String())
}
