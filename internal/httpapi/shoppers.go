package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/seckill-dev/seckill/internal/identity"
	"github.com/seckill-dev/seckill/internal/purchase"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// Tokens verifies shoppers' tokens.
type Tokens interface {
	Verify(token string) (seckill.UserID, error)
}

// Accounts are the built-in accounts.
type Accounts interface {
	Register(ctx context.Context, username, password string) (seckill.Account, error)
	Login(ctx context.Context, username, password string) (identity.Grant, error)
}

// Purchases is buying, looking up what became of it, and the cached catalog.
type Purchases interface {
	Buy(ctx context.Context, request purchase.Request) (purchase.Receipt, error)
	Status(ctx context.Context, user seckill.UserID, item, id seckill.ID, wait time.Duration) (seckill.Reservation, error)
	Mine(ctx context.Context, user seckill.UserID, item seckill.ID) ([]seckill.Reservation, error)
	View(item seckill.ID) (purchase.ItemView, bool)
	Sales() ([]seckill.Sale, bool)
	// ServerTime is the clock that judges windows, as far as this process knows it.
	ServerTime() time.Time
}

// Archive reads what the cached catalog no longer (or not yet) has.
type Archive interface {
	Sale(ctx context.Context, id seckill.ID) (seckill.Sale, error)
	Item(ctx context.Context, id seckill.ID) (seckill.Item, error)
}

// shoppers is the handler of the public listener.
type shoppers struct {
	*edge
	tokens    Tokens
	accounts  Accounts
	purchases Purchases
	archive   Archive
	reading   chan struct{}
	checkout  Checkout
	shards    seckill.Shards
}

func (s *shoppers) routes(engine *gin.Engine) {
	if s.accounts != nil {
		s.route(engine, http.MethodPost, "/v1/auth/register", requestTimeout, s.register)
		s.route(engine, http.MethodPost, "/v1/auth/login", requestTimeout, s.login)
	}
	s.route(engine, http.MethodGet, "/v1/sales", requestTimeout, s.listSales)
	s.route(engine, http.MethodGet, "/v1/sales/:sale_id", requestTimeout, s.getSale)
	s.route(engine, http.MethodGet, "/v1/items/:item_id", requestTimeout, s.getItem)
	s.route(engine, http.MethodPost, "/v1/items/:item_id/reservations", requestTimeout, s.shopper(s.reserve))
	s.route(engine, http.MethodGet, "/v1/items/:item_id/reservations", requestTimeout, s.shopper(s.listReservations))
	s.route(engine, http.MethodGet, "/v1/items/:item_id/reservations/:reservation_id", waitMax+requestTimeout, s.shopper(s.getReservation))
	s.route(engine, http.MethodGet, "/v1/orders", requestTimeout, s.shopper(s.listOrders))
	s.route(engine, http.MethodGet, "/v1/orders/:order_id", requestTimeout, s.shopper(s.getOrder))
	s.route(engine, http.MethodPost, "/v1/orders/:order_id/payments", requestTimeout, s.shopper(s.payOrder))
	s.route(engine, http.MethodPost, "/v1/orders/:order_id/cancel", requestTimeout, s.shopper(s.cancelOrder))
	s.route(engine, http.MethodPost, "/v1/payments/webhooks/:provider", requestTimeout, s.receiveNotice)
}
