package app_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/app"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// recorder keeps every message that was published.
type recorder struct {
	seckill.Publisher
	mu       sync.Mutex
	messages []seckill.Message
}

func (r *recorder) Publish(ctx context.Context, out seckill.Outgoing) error {
	message, err := seckill.DecodeMessage(out.Body)
	if err != nil {
		return err
	}
	r.mu.Lock()
	r.messages = append(r.messages, message)
	r.mu.Unlock()
	return r.Publisher.Publish(ctx, out)
}

func TestWindow(t *testing.T) {
	t.Parallel()
	t.Run("sells not a millisecond before starts_at nor after ends_at, by redis time", func(t *testing.T) {
		t.Parallel()
		record := &recorder{}
		s := openShop(t, func(b *app.Backend) { record.Publisher, b.Publisher = b.Publisher, record })
		sale := s.preload(1_000_000, 1, 8*time.Second, 1500*time.Millisecond)
		var notStarted, sold, ended int
		for n := 0; ended == 0; n++ {
			_, err := s.buy(user(n), 1, "")
			switch seckill.ReasonOf(err) {
			case "":
				sold++
			case seckill.NotStarted:
				notStarted++
				if sold > 0 {
					t.Fatal("not_started after the first unit was sold")
				}
			case seckill.Ended:
				ended++
			case seckill.Busy, seckill.UnknownOutcome:
			default:
				t.Fatal(err)
			}
		}
		if notStarted == 0 || sold == 0 {
			t.Fatalf("not_started %d, sold %d", notStarted, sold)
		}
		s.addsUp()
		record.mu.Lock()
		defer record.mu.Unlock()
		for _, message := range record.messages {
			if message.At < sale.StartsAt.UnixMilli() || message.At >= sale.EndsAt.UnixMilli() {
				t.Errorf("batch %s was sold at %d, outside %d-%d", message.Batch, message.At,
					sale.StartsAt.UnixMilli(), sale.EndsAt.UnixMilli())
			}
		}
		s.await("item is closed", func() bool { return s.stock().State == seckill.StockClosed })
		if stock := s.stock(); stock.Pool+stock.Claimed != stock.Allotted {
			t.Errorf("units are left outside pool and claims: %+v", stock)
		}
	})
}
