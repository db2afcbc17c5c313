package seckill

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// What events say, in the words of the API (docs/events.md).
type (
	orderData struct {
		ID          ID         `json:"id"`
		Item        ID         `json:"item_id"`
		User        UserID     `json:"user_id"`
		Quantity    int64      `json:"quantity"`
		AmountMinor int64      `json:"amount_minor"`
		Currency    string     `json:"currency"`
		Status      OrderState `json:"status"`
		Version     int64      `json:"version"`
		PayBy       time.Time  `json:"pay_by"`
		CreatedAt   time.Time  `json:"created_at"`
		PaidAt      time.Time  `json:"paid_at,omitzero"`
	}
	saleData struct {
		ID       ID         `json:"id"`
		Name     string     `json:"name"`
		State    SaleState  `json:"state"`
		StartsAt time.Time  `json:"starts_at"`
		EndsAt   time.Time  `json:"ends_at"`
		Version  int64      `json:"version"`
		Items    []itemData `json:"items"`
	}
	itemData struct {
		ID         ID     `json:"id"`
		SKU        string `json:"sku"`
		Title      string `json:"title"`
		PriceMinor int64  `json:"price_minor"`
		Currency   string `json:"currency"`
		Allotment  int64  `json:"allotment"`
	}
	stockData struct {
		ID       ID    `json:"id"`
		Allotted int64 `json:"allotted"`
		Version  int64 `json:"version"`
	}
)

// NewOrderEvent tells what an order has become, if that is anything to be told. It has no id and no time yet.
func NewOrderEvent(order Order) (event Event, told bool, err error) {
	kind := order.State.Told()
	if kind == "" {
		return Event{}, false, nil
	}
	data, err := json.Marshal(orderData{
		ID: order.ID, Item: order.Item, User: order.User, Quantity: order.Quantity, AmountMinor: order.AmountMinor(),
		Currency: order.Currency, Status: order.State, Version: order.Version, PayBy: order.PayBy,
		CreatedAt: order.CreatedAt, PaidAt: order.PaidAt,
	})
	if err != nil {
		return Event{}, false, fmt.Errorf("tell of order %s: %w", order.ID, err)
	}
	return Event{Type: kind, Subject: order.ID, Version: order.Version, Data: data}, true, nil
}

// NewSaleEvent tells of a change that has made the sale what it is, if that is anything to be told. It has no id and no
// time yet.
func NewSaleEvent(sale Sale, change SaleChange) (event Event, told bool, err error) {
	kind := change.told()
	if kind == "" {
		return Event{}, false, nil
	}
	items := make([]itemData, len(sale.Items))
	for i, item := range sale.Items {
		items[i] = itemData{item.ID, item.SKU, item.Title, item.PriceMinor, item.Currency, item.Allotment}
	}
	data, err := json.Marshal(saleData{sale.ID, sale.Name, sale.State, sale.StartsAt, sale.EndsAt, sale.Version, items})
	if err != nil {
		return Event{}, false, fmt.Errorf("tell of sale %s: %w", sale.ID, err)
	}
	return Event{Type: kind, Subject: sale.ID, Version: sale.Version, Data: data}, true, nil
}

// told is what a change is told as, "" when it is not. A sale that was paused before its start resumes, and starts later.
func (c SaleChange) told() EventType {
	switch c.To {
	case SalePaused:
		return EventSalePaused
	case SaleEnded:
		return EventSaleEnded
	case SaleScheduled, SaleLive:
		if slices.Contains(c.From, SalePaused) {
			return EventSaleResumed
		}
		if c.To == SaleLive {
			return EventSaleStarted
		}
		return EventSaleScheduled
	default:
		return ""
	}
}

// NewSoldOutEvent tells that a change of the stock left nothing to sell: the last unit was claimed, or an operator has taken the
// rest. It may be so again, after some have come back. It has no id and no time yet.
func NewSoldOutEvent(before, after Stock) (event Event, told bool) {
	if before.Claimed >= before.Allotted || after.Claimed != after.Allotted {
		return Event{}, false
	}
	data, _ := json.Marshal(stockData{after.Item, after.Allotted, after.Version}) // numbers always encode
	return Event{Type: EventItemSoldOut, Subject: after.Item, Version: after.Version, Data: data}, true
}
