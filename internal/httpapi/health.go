package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/seckill-dev/seckill/api"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// healthTimeout is short: a probe that waits is a probe that failed.
const healthTimeout = 2 * time.Second

// health adds the probes. Their refusals name what is missing; an unexpected error is for operators only.
func (e *edge) health(engine *gin.Engine, ready func(context.Context) error, openly bool) {
	alive := func(_ context.Context, c *gin.Context) error {
		return e.reply(c, http.StatusOK, api.Health{Status: api.HealthStatusOk})
	}
	e.route(engine, http.MethodGet, "/livez", healthTimeout, alive)
	e.route(engine, http.MethodGet, "/readyz", healthTimeout, func(ctx context.Context, c *gin.Context) error {
		err := ready(ctx)
		switch {
		case err == nil:
			return alive(ctx, c)
		case seckill.ReasonOf(err) != "":
			return err
		case openly:
			return seckill.BusyFor(retryAfterDefault, err.Error())
		default:
			return seckill.BusyFor(retryAfterDefault, "not ready")
		}
	})
}
