// Command naive is the simplest correct way to accept a purchase, written well: gin, JSON, the product's own token check,
// one EVALSHA per request (limit, stock, decrement, note), one persistent and mandatory message with confirm to a quorum queue, then
// 202. It keeps what the product keeps at that moment and nothing of what makes the product recover: no outbox, no epochs, no
// idempotency. Its connections are pooled, its confirms are awaited many at a time, and its client libraries are the
// product's, with their defaults.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/seckill-dev/seckill/api"
	"github.com/seckill-dev/seckill/internal/identity"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// Settings are read from the file that --settings names.
type Settings struct {
	Listen      string
	Redis       string
	Database    int // of Redis; it is emptied
	RabbitMQ    string
	TokenSecret string
	TokenKey    string
	Item        string
	Units       int64
}

func main() {
	file := flag.String("settings", "", "a JSON file")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *file); err != nil {
		fmt.Fprintln(os.Stderr, "naive:", err)
		os.Exit(1) //nolint:gocritic // the process ends
	}
}

func run(ctx context.Context, file string) error {
	text, err := os.ReadFile(file) //nolint:gosec // the bench names it
	if err != nil {
		return err
	}
	var settings Settings
	if err := json.Unmarshal(text, &settings); err != nil {
		return err
	}
	shop, err := open(ctx, settings)
	if err != nil {
		return err
	}
	server := &http.Server{Addr: settings.Listen, Handler: shop.handler(), ReadHeaderTimeout: time.Minute}
	context.AfterFunc(ctx, func() { _ = server.Close() }) // nobody is there any more
	err = server.ListenAndServe()
	shop.close(context.WithoutCancel(ctx))
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// shop sells one item.
type shop struct {
	tokens *identity.Tokens
	stock  *stock
	queue  *queue
	ids    atomic.Int64
}

func open(ctx context.Context, settings Settings) (*shop, error) {
	keys, err := identity.NewSecrets([]identity.Secret{{ID: settings.TokenKey, Key: []byte(settings.TokenSecret)}})
	if err != nil {
		return nil, err
	}
	s := &shop{}
	s.ids.Store(time.Now().UnixMicro() << 10)
	if s.tokens, err = identity.NewTokens(identity.TokensConfig{Keys: keys, Clock: seckill.SystemClock{}}); err != nil {
		return nil, err
	}
	if s.stock, err = openStock(ctx, settings); err != nil {
		return nil, fmt.Errorf("redis: %w", err)
	}
	if s.queue, err = openQueue(settings.RabbitMQ); err != nil {
		return nil, fmt.Errorf("rabbitmq: %w", err)
	}
	return s, nil
}

func (s *shop) close(ctx context.Context) {
	s.queue.close()
	s.stock.close(ctx)
}

func (s *shop) handler() http.Handler {
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.POST("/v1/items/:item_id/reservations", s.reserve)
	engine.GET("/livez", func(c *gin.Context) { c.Status(http.StatusNoContent) })
	return engine
}

// order is what the queue gets.
type order struct {
	ID       string `json:"id"`
	Item     string `json:"item"`
	User     string `json:"user"`
	Quantity int64  `json:"quantity"`
}

func (s *shop) reserve(c *gin.Context) {
	const bearer = "Bearer "
	authorization := c.GetHeader("Authorization")
	if len(authorization) < len(bearer) {
		refuse(c, http.StatusUnauthorized, "there is no token")
		return
	}
	user, err := s.tokens.Verify(authorization[len(bearer):])
	if err != nil {
		refuse(c, http.StatusUnauthorized, err.Error())
		return
	}
	var request api.ReserveRequest
	if err := c.ShouldBindJSON(&request); err != nil || request.Quantity < 1 {
		refuse(c, http.StatusBadRequest, "the quantity cannot be read")
		return
	}
	placed := order{ID: strconv.FormatInt(s.ids.Add(1), 10), Item: c.Param("item_id"), User: string(user), Quantity: request.Quantity}
	switch taken, err := s.stock.take(c.Request.Context(), placed); {
	case err != nil:
		refuse(c, http.StatusServiceUnavailable, err.Error())
		return
	case taken != takenOK:
		refuse(c, http.StatusConflict, taken)
		return
	}
	if err := s.queue.publish(c.Request.Context(), placed); err != nil {
		refuse(c, http.StatusServiceUnavailable, err.Error())
		return
	}
	c.JSON(http.StatusAccepted, api.Receipt{
		ID: placed.ID, ItemID: placed.Item, Quantity: placed.Quantity, Status: api.ReservationStatusQueued,
		Links: api.Links{Self: "/v1/items/" + placed.Item + "/reservations/" + placed.ID, Order: "/v1/orders/" + placed.ID},
	})
}

func refuse(c *gin.Context, status int, detail string) {
	c.JSON(status, gin.H{"detail": detail})
}
