package httpapi

import (
	"context"

	"github.com/seckill-dev/seckill/internal/audit"
	"github.com/seckill-dev/seckill/internal/operate"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// OperatorKeys knows operators by their keys.
type OperatorKeys interface {
	Actor(key string) (string, error)
}

// Operations is what operators may do. actor is for the operators' log.
type Operations interface {
	Create(ctx context.Context, actor string, draft operate.Draft) (seckill.Sale, error)
	Get(ctx context.Context, id seckill.ID) (operate.SaleReport, error)
	List(ctx context.Context, query seckill.SaleQuery) (operate.Page, error)
	Update(ctx context.Context, actor string, id seckill.ID, patch operate.Patch) (operate.SaleReport, error)
	Delete(ctx context.Context, actor string, id seckill.ID) error
	Preload(ctx context.Context, actor string, id seckill.ID, dryRun bool) (operate.SaleReport, error)
	Pause(ctx context.Context, actor string, id seckill.ID) (operate.SaleReport, error)
	Resume(ctx context.Context, actor string, id seckill.ID) (operate.SaleReport, error)
	End(ctx context.Context, actor string, id seckill.ID) (operate.SaleReport, error)
	Stats(ctx context.Context, id seckill.ID) (operate.SaleStats, error)
}

// Audit compares every number of one sale, or of all (nil).
type Audit interface {
	Run(ctx context.Context, sale *seckill.ID) (audit.Report, error)
}
