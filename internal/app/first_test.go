package app_test

import (
	"testing"
	"time"
)

func TestFirstShopper(t *testing.T) {
	t.Parallel()
	t.Run("is served right after the preload, though the catalog is read once a second", func(t *testing.T) {
		t.Parallel()
		s := openShop(t)
		for range 3 {
			s.preload(1, 1, -time.Second, time.Hour)
			if _, err := s.buy("ann", 1, ""); err != nil {
				t.Fatal(err)
			}
			s.settled()
			clear(s.ledger)
		}
	})
}
