package lent

import (
	"maps"
	"slices"
	"strconv"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// dataset is what one server holds.
type dataset map[seckill.ID]*item

// item is an item's keys at a moment: those that are over are gone.
func (d dataset) item(id seckill.ID, m moment) *item {
	i := d[id]
	if i == nil {
		i = newItem()
		d[id] = i
	}
	i.expire(m.milli)
	return i
}

func (d dataset) clone() dataset {
	c := make(dataset, len(d))
	for id, i := range d {
		c[id] = i.clone()
	}
	return c
}

func (d dataset) dropGates() {
	for _, i := range d {
		i.gate = nil
	}
}

// key is one of an item's keys.
type key string

const (
	keyMeta      key = "meta"
	keyGate      key = "gate"
	keyBuyers    key = "buyers"
	keyBodies    key = "bodies"
	keyUnsent    key = "unsent"
	keyUnsettled key = "unsettled"
	keyTries     key = "tries"
)

func itemKeys() []key {
	return []key{keyMeta, keyGate, keyBuyers, keyBodies, keyUnsent, keyUnsettled, keyTries}
}

// sideKey is where an attempt gathers its buyers.
func sideKey(epoch int64, attempt seckill.ID) key {
	return key(strconv.FormatInt(epoch, 10) + ":" + attempt.String())
}

type (
	meta struct {
		epoch, avail, sold, issue int64
		opens, closes, limit      int64 // opens and closes in Redis ms
		version                   int64
		open, paused              bool
	}
	gate struct {
		epoch                int64
		runID, replicationID string
		until                int64 // Redis ms
	}
	// entries are a user's; a slice of them is never changed.
	entries []seckill.BuyerEntry
	buyers  map[seckill.UserID]entries
)

// item is all keys of one item; meta and gate are nil where there is no such key.
type item struct {
	meta              *meta
	gate              *gate
	buyers            buyers
	bodies            map[seckill.ID][]byte
	unsent, unsettled scored
	tries             map[seckill.ID]int
	sides             map[key]buyers
	ends              map[key]int64 // of those keys that end, the last ms
}

func newItem() *item {
	return &item{
		buyers: buyers{}, bodies: map[seckill.ID][]byte{}, tries: map[seckill.ID]int{}, sides: map[key]buyers{}, ends: map[key]int64{},
	}
}

func (i *item) clone() *item {
	c := &item{
		buyers: maps.Clone(i.buyers), bodies: maps.Clone(i.bodies), tries: maps.Clone(i.tries), ends: maps.Clone(i.ends),
		unsent: slices.Clone(i.unsent), unsettled: slices.Clone(i.unsettled), sides: make(map[key]buyers, len(i.sides)),
	}
	for k, side := range i.sides {
		c.sides[k] = maps.Clone(side)
	}
	if i.meta != nil {
		m := *i.meta
		c.meta = &m
	}
	if i.gate != nil {
		g := *i.gate
		c.gate = &g
	}
	return c
}

func (i *item) exists(k key) bool {
	switch k {
	case keyMeta:
		return i.meta != nil
	case keyGate:
		return i.gate != nil
	case keyBuyers:
		return len(i.buyers) > 0
	case keyBodies:
		return len(i.bodies) > 0
	case keyUnsent:
		return len(i.unsent) > 0
	case keyUnsettled:
		return len(i.unsettled) > 0
	case keyTries:
		return len(i.tries) > 0
	default:
		return len(i.sides[k]) > 0
	}
}

func (i *item) drop(k key) {
	switch k {
	case keyMeta:
		i.meta = nil
	case keyGate:
		i.gate = nil
	case keyBuyers:
		i.buyers = buyers{}
	case keyBodies:
		clear(i.bodies)
	case keyUnsent:
		i.unsent = nil
	case keyUnsettled:
		i.unsettled = nil
	case keyTries:
		clear(i.tries)
	default:
		delete(i.sides, k)
	}
	delete(i.ends, k)
}

// expire drops what is over. A key that is gone, or was made anew, has no end.
func (i *item) expire(milli int64) {
	for k, end := range i.ends {
		if milli > end {
			i.drop(k)
		} else if !i.exists(k) {
			delete(i.ends, k)
		}
	}
}

// pexpire is Redis' command of that name.
func (i *item) pexpire(k key, milli, after int64) {
	if !i.exists(k) {
		return
	}
	if after <= 0 {
		i.drop(k)
		return
	}
	i.ends[k] = milli + after
}
