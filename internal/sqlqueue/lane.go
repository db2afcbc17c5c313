package sqlqueue

import (
	"cmp"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// lane is what memory knows of one shard's queue.
type lane struct {
	shard    int
	prefetch int
	// survivors is the highest tag that an earlier process left; it may have handed out any of them.
	survivors uint64
	wake      chan struct{}

	mu sync.Mutex
	// cursor is the highest tag found so far, fresh says that there may be rows above it.
	cursor uint64
	fresh  bool
	// found holds every row that was found and not deleted.
	found map[uint64]*letter
	subs  []*Subscription
	// turn rotates among the subscriptions.
	turn   int
	closed bool
}

// letter is a row that was found.
type letter struct {
	foundRow
	holder *Subscription // nil: ready
	until  time.Time     // of the lease
	serial int64         // of the delivery, among the holder's
	last   *Subscription // whose lease ran out
	// again says that it may have been handed out before, counted that its next delivery counts.
	again   bool
	counted bool
}

// foundRow is a row without its body.
type foundRow struct {
	tag        uint64
	enqueuedAt time.Time
}

func newLane(shard, prefetch int, survivors uint64) *lane {
	return &lane{
		shard: shard, prefetch: prefetch, survivors: survivors, wake: make(chan struct{}, 1),
		fresh: true, found: map[uint64]*letter{},
	}
}

// announce says that rows were committed.
func (l *lane) announce() {
	l.mu.Lock()
	l.fresh = true
	l.mu.Unlock()
	l.rouse()
}

func (l *lane) rouse() {
	select {
	case l.wake <- struct{}{}:
	default: // it is awake already
	}
}

// poll ends the leases that are over, says how many, and has rows looked for that nobody announced.
func (l *lane) poll(now time.Time) (expired int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fresh = true
	for _, t := range l.found {
		if t.holder == nil || now.Before(t.until) {
			continue
		}
		t.last = t.holder
		t.counted = t.counted || t.holder.received(t.serial)
		t.giveBack()
		expired++
	}
	return expired
}

func (t *letter) giveBack() {
	t.holder.leased--
	t.holder = nil
}

// search returns the cursor and how many rows may be looked for above it; 0: none are needed, or none are there.
func (l *lane) search() (cursor uint64, limit int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	limit = min(l.room()-l.readyCount(), readMax)
	if !l.fresh || limit <= 0 {
		return l.cursor, 0
	}
	l.fresh = false
	return l.cursor, limit
}

// find notes rows above the cursor.
func (l *lane) find(rows []foundRow, more bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fresh = l.fresh || more
	for _, r := range rows {
		old := r.tag <= l.survivors
		l.found[r.tag] = &letter{foundRow: r, again: old, counted: old}
		l.cursor = r.tag
	}
}

// choose returns the letters that can be handed out now, oldest first, and which of them have to be counted before.
func (l *lane) choose() (tags, counted []uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.room() == 0 || l.readyCount() == 0 {
		return nil, nil
	}
	ready := l.ready()
	for _, t := range ready[:min(len(ready), l.room(), readMax)] {
		if l.taker(t) == nil {
			continue
		}
		tags = append(tags, t.tag)
		if t.counted {
			counted = append(counted, t.tag)
		}
	}
	return tags, counted
}

// countedOnce notes that the next delivery of these is on disk.
func (l *lane) countedOnce(tags []uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, tag := range tags {
		if t := l.found[tag]; t != nil {
			t.counted = false
		}
	}
}

// hand leases rows to subscriptions in turn and says how many. Sending cannot block: only lanes send, with the lock
// held, and taker leaves out whoever has no room.
func (l *lane) hand(rows []row, until time.Time) (handed int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range rows {
		t := l.found[r.tag]
		if t == nil || t.counted {
			continue // acknowledged late, meanwhile; or it could not be counted
		}
		s := l.taker(t)
		if s == nil {
			continue
		}
		s.deliveries <- seckill.Delivery{
			Tag: t.tag, Message: strconv.FormatUint(t.tag, 10), Body: r.body, Redelivered: t.again,
		}
		s.leased++
		s.handed++
		t.holder, t.until, t.serial, t.again = s, until, s.handed, true
		handed++
	}
	return handed
}

// forget drops rows that are deleted, whoever has leased them.
func (l *lane) forget(tags []uint64) {
	if len(tags) == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, tag := range tags {
		t := l.found[tag]
		if t == nil {
			continue
		}
		if t.holder != nil {
			t.giveBack()
		}
		delete(l.found, tag)
	}
	l.rouse()
}

// ready returns the letters that nobody has leased, oldest first.
func (l *lane) ready() []*letter {
	var ready []*letter
	for _, t := range l.found {
		if t.holder == nil {
			ready = append(ready, t)
		}
	}
	slices.SortFunc(ready, func(a, b *letter) int { return cmp.Compare(a.tag, b.tag) })
	return ready
}

func (l *lane) readyCount() int {
	ready := len(l.found)
	for _, s := range l.subs {
		ready -= s.leased
	}
	return ready
}

// room is how many more messages the subscriptions may have.
func (l *lane) room() int {
	room := 0
	for _, s := range l.subs {
		room += s.room()
	}
	return room
}

// taker is the next subscription in turn that has room. One whose lease of this letter ran out gets it again only if
// there is nobody else: it may hang.
func (l *lane) taker(t *letter) *Subscription {
	for range l.subs {
		l.turn = (l.turn + 1) % len(l.subs)
		s := l.subs[l.turn]
		if s.room() > 0 && (s != t.last || len(l.subs) == 1) {
			return s
		}
	}
	return nil
}

func (l *lane) subscribe() (*Subscription, error) {
	s := &Subscription{lane: l, deliveries: make(chan seckill.Delivery, l.prefetch)}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, errClosed
	}
	l.subs = append(l.subs, s)
	l.rouse()
	return s, nil
}

// unsubscribe ends a subscription; what it has leased is ready again, uncounted. Repeatable.
func (l *lane) unsubscribe(s *Subscription) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := slices.Index(l.subs, s)
	if at < 0 {
		return
	}
	l.subs = slices.Delete(l.subs, at, at+1)
	for _, t := range l.found {
		if t.holder == s {
			t.giveBack()
		}
	}
	s.discard()
	close(s.deliveries)
	l.rouse()
}

func (l *lane) close() {
	l.mu.Lock()
	l.closed = true
	subs := slices.Clone(l.subs)
	l.mu.Unlock()
	for _, s := range subs {
		l.unsubscribe(s)
	}
}
