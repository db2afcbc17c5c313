package sqlstore

import (
	"encoding/json"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// toldOrder is an order as the shop is told of it.
type toldOrder struct {
	ID          seckill.ID         `json:"id"`
	Item        seckill.ID         `json:"item_id"`
	User        seckill.UserID     `json:"user_id"`
	Quantity    int64              `json:"quantity"`
	AmountMinor int64              `json:"amount_minor"`
	Currency    string             `json:"currency"`
	Status      seckill.OrderState `json:"status"`
	Version     int64              `json:"version"`
	PayBy       time.Time          `json:"pay_by"`
	CreatedAt   time.Time          `json:"created_at"`
	PaidAt      time.Time          `json:"paid_at,omitzero"`
}

// tellOrders tells the shop what orders have become, if anybody listens, and returns the events by their orders.
func (s *Store) tellOrders(tx *gorm.DB, orders []seckill.Order) (map[seckill.ID]seckill.ID, error) {
	if !s.tells {
		return nil, nil
	}
	events := make([]seckill.Event, 0, len(orders))
	for _, order := range orders {
		kind := order.State.Told()
		if kind == "" {
			continue
		}
		data, err := json.Marshal(toldOrder{
			ID: order.ID, Item: order.Item, User: order.User, Quantity: order.Quantity, AmountMinor: order.AmountMinor(),
			Currency: order.Currency, Status: order.State, Version: order.Version, PayBy: order.PayBy,
			CreatedAt: order.CreatedAt, PaidAt: order.PaidAt,
		})
		if err != nil {
			return nil, fmt.Errorf("tell of order %s: %w", order.ID, err)
		}
		events = append(events, seckill.Event{Type: kind, Subject: order.ID, Version: order.Version, Data: data})
	}
	if err := s.tell(tx, events); err != nil {
		return nil, err
	}
	told := make(map[seckill.ID]seckill.ID, len(events))
	for _, event := range events {
		told[event.Subject] = event.ID
	}
	return told, nil
}
