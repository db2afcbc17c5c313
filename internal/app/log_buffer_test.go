package app_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seckill-dev/seckill/internal/app"
)

// page is what has been written.
type page struct {
	mu   sync.Mutex
	text strings.Builder
}

func (p *page) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(b)
}

func (p *page) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

func TestLogBuffer(t *testing.T) {
	t.Parallel()
	for name, record := range map[string]func(config *app.Config, buffer *app.LogBuffer) (waits bool){
		"lets an ordinary record wait, but not for long": func(config *app.Config, buffer *app.LogBuffer) bool {
			config.Logger(buffer).Info("sold")
			return true
		},
		"writes a warning at once, with what came before": func(config *app.Config, buffer *app.LogBuffer) bool {
			log := config.Logger(buffer).With("shard", 0).WithGroup("why")
			log.Info("sold")
			log.Warn("odd")
			return false
		},
		"writes at once when too much waits": func(config *app.Config, buffer *app.LogBuffer) bool {
			config.Logger(buffer).Info("sold", "to", strings.Repeat("x", 2<<20))
			return false
		},
		"writes at once after it was closed": func(config *app.Config, buffer *app.LogBuffer) bool {
			buffer.Close()
			config.Logger(buffer).Info("sold")
			return false
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var written page
				waits := record(&app.Config{}, app.NewLogBuffer(&written))
				if at := written.String(); !strings.Contains(at, "sold") != waits {
					t.Errorf("waits: %v; at once: %s", waits, at)
				}
				time.Sleep(50 * time.Millisecond) //nolint:forbidigo // the bubble's clock
				synctest.Wait()
				if end := written.String(); strings.Count(end, "sold") != 1 {
					t.Errorf("in the end: %s", end)
				}
			})
		})
	}
}

func TestLogBufferUnderLoad(t *testing.T) {
	t.Parallel()
	t.Run("keeps every record, and each logger's in order", func(t *testing.T) {
		t.Parallel()
		const loggers, records = 4, 2000
		var written page
		buffer := app.NewLogBuffer(&written)
		var all sync.WaitGroup
		for number := range loggers {
			log := new(app.Config).Logger(buffer).With("logger", number)
			all.Go(func() {
				for n := range records {
					log.Info("sold", "n", n)
				}
			})
		}
		all.Wait()
		buffer.Close()
		next := map[string]int{}
		for line := range strings.Lines(written.String()) {
			fields := strings.Fields(line)
			logger, n := fields[len(fields)-2], fields[len(fields)-1]
			if n != fmt.Sprintf("n=%d", next[logger]) {
				t.Fatalf("%s: %s after %d records", logger, n, next[logger])
			}
			next[logger]++
		}
		for logger, count := range next {
			if count != records || len(next) != loggers {
				t.Errorf("%s has %d records", logger, count)
			}
		}
	})
}
