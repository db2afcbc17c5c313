package httpapi

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/seckill-dev/seckill/internal/purchase"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// noteAccepted is the one record of an accepted purchase. Five attributes are as many as slog keeps without allocating.
func (e *edge) noteAccepted(ctx context.Context, c *gin.Context, shard int, receipt purchase.Receipt) {
	message := "reservation accepted"
	if receipt.Replayed {
		message = "reservation repeated"
	}
	e.log.LogAttrs(ctx, slog.LevelInfo, message,
		slog.String("reservation", receipt.Reservation.ID.String()),
		slog.String("item", receipt.Reservation.Item.String()),
		slog.Int64("quantity", receipt.Reservation.Quantity),
		slog.Int("shard", shard),
		slog.String("request_id", requestID(c)))
}

// noteOrder is the one record of what a shopper did with an order.
func (e *edge) noteOrder(ctx context.Context, c *gin.Context, did string, shard int, order seckill.ID) {
	e.log.LogAttrs(ctx, slog.LevelInfo, did, slog.String("order", order.String()), slog.Int("shard", shard),
		slog.String("request_id", requestID(c)))
}

// noteOperated is the record of an operator's successful act; the operators' log has the details.
func (e *edge) noteOperated(ctx context.Context, c *gin.Context, actor, route string) {
	e.log.LogAttrs(ctx, slog.LevelInfo, "operated",
		slog.String("actor", actor), slog.String("method", c.Request.Method), slog.String("route", route),
		slog.Int("status", c.Writer.Status()), slog.String("request_id", requestID(c)))
}

// noteRefusal counts every refusal, logs every fault, and a sample of the rest: a sold-out sale refuses thousands a second.
func (e *edge) noteRefusal(
	ctx context.Context, c *gin.Context, route string, refusal *seckill.Refusal, status int, fault bool, err error,
) {
	e.measures.refused[refusal.Reason].Inc()
	if fault {
		e.noteFault(ctx, c, route, refusal, status, err)
		return
	}
	skipped, take := e.refusals.take(refusal.Reason)
	if !take {
		return
	}
	attrs := append(refusalAttrs(c, route, refusal, status), slog.String("detail", refusal.Detail),
		slog.String("field", refusal.Field), slog.String("client", c.ClientIP()), slog.Int("skipped", skipped))
	e.log.LogAttrs(ctx, slog.LevelInfo, "request refused", attrs...)
}

func (e *edge) noteFault(ctx context.Context, c *gin.Context, route string, refusal *seckill.Refusal, status int, err error) {
	e.measures.faults.WithLabelValues(route).Inc()
	attrs := append(refusalAttrs(c, route, refusal, status), slog.Any("error", err))
	var panicked *panicked
	if errors.As(err, &panicked) {
		attrs = append(attrs, slog.String("stack", string(panicked.stack)))
	}
	e.log.LogAttrs(ctx, slog.LevelError, "request failed", attrs...)
}

func refusalAttrs(c *gin.Context, route string, refusal *seckill.Refusal, status int) []slog.Attr {
	return []slog.Attr{
		slog.String("reason", string(refusal.Reason)), slog.Int("status", status), slog.String("method", knownMethod(c.Request.Method)),
		slog.String("route", route), slog.String("request_id", requestID(c)),
	}
}

// refusalsPerSecond is how many refusals of each reason are logged per second; the first of a kind always is.
const refusalsPerSecond = 2

// sampler lets a few of each reason through per second and counts the others.
type sampler struct {
	clock seckill.Clock
	mu    sync.Mutex
	kinds map[seckill.Reason]*sample
}

type sample struct {
	second  time.Time
	taken   int
	skipped int
}

func newSampler(clock seckill.Clock) *sampler {
	return &sampler{clock: clock, kinds: map[seckill.Reason]*sample{}}
}

// take says whether this one is logged, and how many were skipped since the last one that was.
func (s *sampler) take(reason seckill.Reason) (skipped int, take bool) {
	now := s.clock.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	kind := s.kinds[reason]
	if kind == nil {
		kind = &sample{}
		s.kinds[reason] = kind
	}
	if now.Sub(kind.second) >= time.Second {
		kind.second, kind.taken = now, 0
	}
	if kind.taken >= refusalsPerSecond {
		kind.skipped++
		return 0, false
	}
	kind.taken++
	skipped, kind.skipped = kind.skipped, 0
	return skipped, true
}
