package audit_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// liveState is a Redis that agrees with the shop, with sold units of which not all are settled.
func liveState(s *shop, inFlight int64) seckill.LentState {
	stock := s.stock()
	return seckill.LentState{
		Item: s.item.ID, Known: true, Live: true, Opened: true, Epoch: stock.Epoch, Issue: stock.Issue, Limit: limit,
		Sold: stock.Accounted + inFlight, Available: stock.Lent - inFlight,
	}
}

// redisIs makes every reading of Redis show the same.
func (s *shop) redisIs(state seckill.LentState) {
	s.lent = redisSays{states: func() (seckill.LentState, error) { return state, nil }}
}

func TestRedisAgainstSQL(t *testing.T) {
	t.Parallel()

	t.Run("adds up while units are in flight", func(t *testing.T) {
		t.Parallel()
		s := busyShop(t)
		s.redisIs(liveState(s, 3))
		s.clean()
		if notes := s.notes("compared"); len(notes) > 0 {
			t.Errorf("notes are %v", notes)
		}
	})

	t.Run("adds up after a reservation was rejected in the open epoch", func(t *testing.T) {
		t.Parallel()
		s := busyShop(t)
		before := liveState(s, 0)
		s.claim(s.message(s.reserved("dan", 2, "too-much-2")))
		before.Sold, before.Available = before.Sold+2, before.Available-2
		s.redisIs(before)
		s.clean()
	})

	t.Run("adds up while every reading shows another purchase", func(t *testing.T) {
		t.Parallel()
		s := busyShop(t)
		var inFlight int64
		s.lent = redisSays{states: func() (seckill.LentState, error) {
			inFlight++
			return liveState(s, inFlight), nil
		}}
		s.clean()
	})
}

func TestRedisContradictsSQL(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]struct {
		rule   string
		change func(*seckill.LentState)
	}{
		"a unit too many to sell":             {"redis_units", func(s *seckill.LentState) { s.Available++ }},
		"a unit too few to sell":              {"redis_units", func(s *seckill.LentState) { s.Available-- }},
		"sold less than SQL has heard of":     {"redis_sold", func(s *seckill.LentState) { s.Available, s.Sold = s.Available+s.Sold, 0 }},
		"an issue that SQL has not made":      {"redis_ahead", func(s *seckill.LentState) { s.Issue++ }},
		"a higher limit than settling grants": {"redis_limit", func(s *seckill.LentState) { s.Limit = limit + 1 }},
	} {
		t.Run("does not add up when redis has "+name, func(t *testing.T) {
			t.Parallel()
			s := busyShop(t)
			state := liveState(s, 1)
			spoil.change(&state)
			s.redisIs(state)
			s.finds(spoil.rule, "stock", s.item.ID.String())
		})
	}
}

func TestRedisNotCompared(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*seckill.LentState){
		"has lost it":          func(s *seckill.LentState) { *s = seckill.LentState{} },
		"may not sell it":      func(s *seckill.LentState) { s.Live = false },
		"has another epoch":    func(s *seckill.LentState) { s.Epoch-- },
		"lags an issue behind": func(s *seckill.LentState) { s.Issue-- },
	} {
		t.Run("is noted as not compared when redis "+name, func(t *testing.T) {
			t.Parallel()
			s := busyShop(t)
			state := liveState(s, 1)
			state.Available += 5
			spoil(&state)
			s.redisIs(state)
			s.clean()
			if len(s.notes("not compared with redis")) != 1 {
				t.Errorf("notes are %v", s.notes(""))
			}
		})
	}

	t.Run("is noted as not compared when redis does not answer", func(t *testing.T) {
		t.Parallel()
		s := busyShop(t)
		s.lent = redisSays{states: func() (seckill.LentState, error) { return seckill.LentState{}, errors.New("timeout") }}
		s.clean()
		if len(s.notes("does not answer")) != 1 {
			t.Errorf("notes are %v", s.notes(""))
		}
	})

	t.Run("is compared once redis has caught up with an issue", func(t *testing.T) {
		t.Parallel()
		s := busyShop(t)
		readings := 0
		s.lent = redisSays{states: func() (seckill.LentState, error) {
			state := liveState(s, 1)
			if readings++; readings < 4 {
				state.Issue--
				state.Available -= 2
			}
			return state, nil
		}}
		s.clean()
		if notes := s.notes("compared"); len(notes) > 0 {
			t.Errorf("notes are %v", notes)
		}
	})
}

func (s *shop) notes(about string) []string {
	s.t.Helper()
	var notes []string
	for _, note := range s.audit().Notes {
		if strings.Contains(note, about) {
			notes = append(notes, note)
		}
	}
	return notes
}
