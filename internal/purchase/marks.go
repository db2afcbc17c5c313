package purchase

import (
	"context"
	"fmt"
	"sync"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// marks are the highest `sold` that Redis told this process, per item, until they are written.
type marks struct {
	mu     sync.Mutex
	shards map[int]map[seckill.ID]mark
}

type mark struct {
	seckill.Mark
	changed bool
}

// record is called for every Lua reply, before anybody is answered. A later epoch replaces an earlier one: it is opened
// only when the drain of the earlier one has heard from this process, or has given up on it.
func (m *marks) record(shard int, told seckill.Mark) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.shards == nil {
		m.shards = map[int]map[seckill.ID]mark{}
	}
	if m.shards[shard] == nil {
		m.shards[shard] = map[seckill.ID]mark{}
	}
	known := m.shards[shard][told.Item]
	if told.Epoch > known.Epoch || (told.Epoch == known.Epoch && told.Sold > known.Sold) {
		m.shards[shard][told.Item] = mark{Mark: told, changed: true}
	}
}

// changed are the marks of a shard that are not written yet.
func (m *marks) changed(shard int) []seckill.Mark {
	m.mu.Lock()
	defer m.mu.Unlock()
	var changed []seckill.Mark
	for _, known := range m.shards[shard] {
		if known.changed {
			changed = append(changed, known.Mark)
		}
	}
	return changed
}

// written notes what was written, unless it has changed again since.
func (m *marks) written(shard int, written []seckill.Mark) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, done := range written {
		if known := m.shards[shard][done.Item]; known.Mark == done {
			m.shards[shard][done.Item] = mark{Mark: done}
		}
	}
}

// beat writes a heartbeat with the changed marks. The database's clock is read before the marks are: whatever this
// process was told before `begun` is in them.
func (s *Service) beat(ctx context.Context, home *shard, left bool) error {
	defer home.tried.Store(true)
	ctx, cancel := context.WithTimeout(ctx, s.options.CallTimeout)
	defer cancel()
	incarnation, err := s.name()
	if err != nil {
		return err
	}
	before := s.clock.Now()
	begun, err := s.ports.Marks.Now(ctx, home.number)
	if err != nil {
		return fmt.Errorf("read the clock of shard %d: %w", home.number, err)
	}
	changed := s.marks.changed(home.number)
	err = s.ports.Marks.Beat(ctx, home.number, seckill.Beat{Incarnation: incarnation, Begun: begun, Left: left, Marks: changed})
	if err != nil {
		return fmt.Errorf("write the heartbeat on shard %d: %w", home.number, err)
	}
	s.marks.written(home.number, changed)
	home.beaten.Store(&before)
	return nil
}

// name is what this process is called in its heartbeats. It is an id, which can be made once a node number is leased.
func (s *Service) name() (seckill.ID, error) {
	s.naming.Lock()
	defer s.naming.Unlock()
	if s.incarnation != 0 {
		return s.incarnation, nil
	}
	id, err := s.ports.IDs.Next(0)
	if err != nil {
		return 0, fmt.Errorf("name the incarnation: %w", err)
	}
	s.incarnation = id
	return id, nil
}

// look reads how far the workers of a shard are behind.
func (s *Service) look(ctx context.Context, home *shard) error {
	ctx, cancel := context.WithTimeout(ctx, s.options.CallTimeout)
	defer cancel()
	state, err := s.ports.Queue.Look(ctx, home.number)
	home.backlog.Store(&backlog{state: state, err: err})
	if err != nil {
		return fmt.Errorf("look at the queue of shard %d: %w", home.number, err)
	}
	return nil
}
