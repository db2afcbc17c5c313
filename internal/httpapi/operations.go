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
	Delete(ctx context.Context, actor string, id seckill.ID, version int64) error
	Preload(ctx context.Context, actor string, id seckill.ID, dryRun bool) (operate.SaleReport, error)
	Turn(ctx context.Context, turn operate.Turn) (operate.SaleReport, error)
	Stats(ctx context.Context, id seckill.ID) (operate.SaleStats, error)
	AdjustStock(ctx context.Context, actor string, adjustment seckill.Adjustment) (seckill.Adjusted, error)
	ReopenStock(ctx context.Context, actor string, item seckill.ID, reason string) (operate.Reopened, error)
	Order(ctx context.Context, id seckill.ID) (operate.OrderReport, error)
	OrdersOf(ctx context.Context, query seckill.OrderQuery) (operate.OrderPage, error)
	CancelOrder(ctx context.Context, act operate.OrderAct) (operate.OrderReport, error)
	RefundOrder(ctx context.Context, act operate.OrderAct, restock bool) (operate.OrderReport, error)
	DeadLetters(ctx context.Context, after seckill.ID, limit int) (operate.LetterPage, error)
	DeadLetter(ctx context.Context, id seckill.ID) (seckill.DeadLetter, error)
	ReplayLetter(ctx context.Context, actor string, id seckill.ID) (seckill.DeadLetter, error)
	DiscardLetter(ctx context.Context, actor string, id seckill.ID, reason string) (seckill.DeadLetter, error)
	DeadEvents(ctx context.Context, endpoint string, after seckill.ID, limit int) (operate.EventPage, error)
	ReplayEvents(ctx context.Context, actor string, choice operate.DeadChoice) (operate.ManyDecided, error)
	DiscardEvents(ctx context.Context, actor string, choice operate.DeadChoice, reason string) (operate.ManyDecided, error)
	ReplayEvent(ctx context.Context, actor, endpoint string, event seckill.ID) (seckill.Dispatch, error)
	DiscardEvent(ctx context.Context, actor, endpoint string, event seckill.ID, reason string) (seckill.Dispatch, error)
	Log(ctx context.Context, query seckill.ActQuery) (operate.Journal, error)
}

// Audit compares every number of one sale, or of all (nil).
type Audit interface {
	Run(ctx context.Context, sale *seckill.ID) (audit.Report, error)
}
