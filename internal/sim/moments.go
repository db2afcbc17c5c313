package sim

import (
	"sync/atomic"
	"time"
)

// moments is a set of moments that may seem to have others, too. Goroutines add to it while the loop looks.
type moments [256]atomic.Uint64

func (m *moments) place(at time.Duration) (word, bit uint64) {
	hash := uint64(at) * 0x9e3779b97f4a7c15 //nolint:gosec // any bits will do
	return hash >> 56, 1 << (hash >> 50 & 63)
}

func (m *moments) add(at time.Duration) {
	word, bit := m.place(at)
	m[word].Or(bit)
}

func (m *moments) may(at time.Duration) bool {
	word, bit := m.place(at)
	return m[word].Load()&bit != 0
}
