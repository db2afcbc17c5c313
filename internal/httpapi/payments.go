package httpapi

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/seckill-dev/seckill/api"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// payOrder begins the payment of an unpaid order of the caller's, or shows the one that is open.
func (s *shoppers) payOrder(ctx context.Context, c *gin.Context, user seckill.UserID) error {
	id, version, err := readTarget(c)
	if err != nil {
		return err
	}
	receipt, err := s.checkout.Pay(ctx, user, id, version)
	if err != nil {
		return err
	}
	tag(c, receipt.Order)
	if receipt.Replayed {
		c.Writer.Header().Set("Idempotent-Replayed", "true")
	}
	err = s.reply(c, http.StatusCreated, wirePayment(receipt.Payment, helps(receipt.Payment, receipt.Order)))
	s.noteOrder(ctx, c, "payment opened", s.shards.Shard(user.Bucket()), id)
	return err
}

// helps says whether paying there pays the order: money that comes later goes back.
func helps(p seckill.Payment, of seckill.Order) bool {
	return p.State == seckill.PaymentOpen && of.State == seckill.OrderUnpaid
}

// wirePayment shows where to pay if that helps.
func wirePayment(p seckill.Payment, helps bool) api.Payment {
	wire := api.Payment{
		ID: p.ID.String(), OrderID: p.Order.String(), Provider: p.Provider, Status: api.PaymentStatus(p.State),
		AmountMinor: p.AmountMinor, Currency: p.Currency, ExpiresAt: p.ExpiresAt.UTC(), CreatedAt: p.CreatedAt.UTC(),
	}
	if helps {
		wire.PayURL = p.URL
	}
	return wire
}

func wireRefund(r seckill.Refund) api.Refund {
	wire := api.Refund{
		Status: api.RefundStatus(r.State), Reason: api.RefundReason(r.Reason), AmountMinor: r.AmountMinor, Currency: r.Currency,
		CreatedAt: r.At.UTC(),
	}
	if !r.DoneAt.IsZero() {
		wire.DoneAt = r.DoneAt.UTC()
	}
	return wire
}
