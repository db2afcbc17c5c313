package httpapi_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/seckill-dev/seckill/internal/httpapi"
	"github.com/seckill-dev/seckill/internal/purchase"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// BenchmarkReserve is what the edge adds to a purchase.
func BenchmarkReserve(b *testing.B) {
	fake := newFakePurchases()
	for name, buy := range map[string]func(context.Context, purchase.Request) (purchase.Receipt, error){
		"queued": fake.buy,
		"sold out": func(context.Context, purchase.Request) (purchase.Receipt, error) {
			return purchase.Receipt{}, &seckill.Refusal{Reason: seckill.SoldOut, Detail: "asked for 1, 0 are left"}
		},
	} {
		b.Run(name, func(b *testing.B) {
			registry := prometheus.NewRegistry()
			edge, err := httpapi.New(httpapi.Config{
				Tokens: fakeTokens{}, Purchases: answering{fake, buy}, Archive: &fakeArchive{}, Checkout: &fakeCheckout{}, Shards: oneShard{},
				Keys: fakeKeys{}, Operations: &fakeOperations{}, Audit: &fakeAudit{}, Clock: seckill.SystemClock{},
				Log: slog.New(slog.NewJSONHandler(io.Discard, nil)), Registerer: registry, Gatherer: registry,
			})
			if err != nil {
				b.Fatal(err)
			}
			handler := edge.Shoppers()
			b.ReportAllocs()
			for b.Loop() {
				request := httptest.NewRequestWithContext(b.Context(), http.MethodPost, reservationsURL, strings.NewReader(`{"quantity":1}`))
				request.Header = http.Header{
					"Authorization": {"Bearer ada"}, "Content-Type": {"application/json"}, "Idempotency-Key": {"cart-42-x"},
				}
				handler.ServeHTTP(httptest.NewRecorder(), request)
			}
		})
	}
}

// answering is fakePurchases without its memory.
type answering struct {
	*fakePurchases
	answer func(context.Context, purchase.Request) (purchase.Receipt, error)
}

func (a answering) Buy(ctx context.Context, request purchase.Request) (purchase.Receipt, error) {
	return a.answer(ctx, request)
}
