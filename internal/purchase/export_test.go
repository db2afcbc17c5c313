package purchase

import "github.com/seckill-dev/seckill/internal/seckill"

// Waiting is how many purchases of an item wait for the next Lua call.
func (s *Service) Waiting(item seckill.ID) int {
	g := s.listings.Load().items[item].reserving
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.queue)
}

// LongPolls is how many look-ups wait for a decision.
func (s *Service) LongPolls() int {
	s.waiting.mu.Lock()
	defer s.waiting.mu.Unlock()
	return s.waiting.count
}

// Finding is how many look-ups of an item wait for the next read of claims.
func (s *Service) Finding(item seckill.ID) int {
	g := s.listings.Load().items[item].finding
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.queue)
}
