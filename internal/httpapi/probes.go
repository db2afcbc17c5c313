package httpapi

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net/http"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// NewProbes makes the handler of a process that answers no shoppers: livez, readyz and metrics.
func NewProbes(log *slog.Logger, registerer prometheus.Registerer, gatherer prometheus.Gatherer) (http.Handler, error) {
	edge := newEdge(&Config{
		Clock: seckill.SystemClock{}, Log: log, Registerer: registerer, Gatherer: gatherer, Random: rand.Float64,
	})
	engine, err := edge.engine(nil)
	if err != nil {
		return nil, err
	}
	edge.health(engine, func(context.Context) error { return nil }, true)
	edge.metrics(engine, gatherer)
	return engine, nil
}

// metrics adds the figures, which are for operators only.
func (e *edge) metrics(engine *gin.Engine, gatherer prometheus.Gatherer) {
	figures := promhttp.HandlerFor(gatherer, promhttp.HandlerOpts{})
	e.route(engine, http.MethodGet, "/metrics", operateTimeout, func(ctx context.Context, c *gin.Context) error {
		figures.ServeHTTP(c.Writer, c.Request.WithContext(ctx))
		return nil
	})
}
