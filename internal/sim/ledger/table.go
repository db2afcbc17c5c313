package ledger

import (
	"cmp"
	"iter"
	"slices"
)

// table is rows by their keys. Going through it keeps to the order of the keys, so that a schedule runs alike every time.
// The zero value is empty. Nobody may write to it while somebody goes through it.
type table[K cmp.Ordered, R any] struct {
	rows map[K]*R
	keys []K
}

// get is a row, or nil.
func (t *table[K, R]) get(key K) *R { return t.rows[key] }

func (t *table[K, R]) size() int { return len(t.keys) }

// put writes a row, whether the key is known or not.
func (t *table[K, R]) put(key K, row R) {
	if known := t.rows[key]; known != nil {
		*known = row
		return
	}
	if t.rows == nil {
		t.rows = make(map[K]*R)
	}
	t.rows[key] = &row
	at, _ := slices.BinarySearch(t.keys, key)
	t.keys = slices.Insert(t.keys, at, key)
}

func (t *table[K, R]) drop(key K) {
	if t.rows[key] == nil {
		return
	}
	delete(t.rows, key)
	at, _ := slices.BinarySearch(t.keys, key)
	t.keys = slices.Delete(t.keys, at, at+1)
}

// all goes through every row.
func (t *table[K, R]) all() iter.Seq2[K, *R] { return t.from(0) }

// after goes through the rows with greater keys.
func (t *table[K, R]) after(key K) iter.Seq2[K, *R] {
	at, found := slices.BinarySearch(t.keys, key)
	if found {
		at++
	}
	return t.from(at)
}

func (t *table[K, R]) from(at int) iter.Seq2[K, *R] {
	return func(yield func(K, *R) bool) {
		for _, key := range t.keys[at:] {
			if !yield(key, t.rows[key]) {
				return
			}
		}
	}
}

// page takes at most limit of what a sequence has and want wants; nil wants all.
func page[K cmp.Ordered, R any](rows iter.Seq2[K, *R], limit int, want func(*R) bool) []R {
	var taken []R
	for _, row := range rows {
		if len(taken) >= limit {
			break
		}
		if want == nil || want(row) {
			taken = append(taken, *row)
		}
	}
	return taken
}

// unlimited is more than any schedule has rows.
const unlimited = 1 << 30
