package sqlstore

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// What events say of sales and items, in the words of the API (docs/events.md).
type (
	toldSale struct {
		ID       seckill.ID        `json:"id"`
		Name     string            `json:"name"`
		State    seckill.SaleState `json:"state"`
		StartsAt time.Time         `json:"starts_at"`
		EndsAt   time.Time         `json:"ends_at"`
		Version  int64             `json:"version"`
		Items    []toldItem        `json:"items"`
	}
	toldItem struct {
		ID         seckill.ID `json:"id"`
		SKU        string     `json:"sku"`
		Title      string     `json:"title"`
		PriceMinor int64      `json:"price_minor"`
		Currency   string     `json:"currency"`
		Allotment  int64      `json:"allotment"`
	}
	toldStock struct {
		ID       seckill.ID `json:"id"`
		Allotted int64      `json:"allotted"`
		Version  int64      `json:"version"`
	}
)

// ranOut says that a change left nothing to sell: the last unit was claimed, or an operator has taken the rest. It may be
// so again, after some have come back.
func ranOut(before, after seckill.Stock) bool {
	return before.Claimed < before.Allotted && after.Claimed == after.Allotted
}

// soldOutEvent is what a locked stock row tells when it ran out.
func soldOutEvent(stock seckill.Stock) seckill.Event {
	data, _ := json.Marshal(toldStock{stock.Item, stock.Allotted, stock.Version}) // numbers always encode
	return seckill.Event{Type: seckill.EventItemSoldOut, Subject: stock.Item, Version: stock.Version, Data: data}
}

// tellSale tells of a transition that has just been made; the sale's row is locked.
func (c Catalog) tellSale(tx *gorm.DB, change seckill.SaleChange) error {
	kind, isTold := saleEventType(change)
	if !c.tells || !isTold {
		return nil
	}
	var rows []saleRow
	if err := tx.Where("id = ?", change.Sale).Find(&rows).Error; err != nil {
		return err
	}
	sales, err := withItems(tx, rows)
	if err != nil {
		return err
	}
	events := make([]seckill.Event, len(sales))
	for i, sale := range sales {
		data, err := json.Marshal(newToldSale(sale))
		if err != nil {
			return fmt.Errorf("encode sale %s: %w", sale.ID, err)
		}
		events[i] = seckill.Event{Type: kind, Subject: sale.ID, Version: sale.Version, Data: data}
	}
	return c.tell(tx, events)
}

func newToldSale(sale seckill.Sale) toldSale {
	told := toldSale{
		ID: sale.ID, Name: sale.Name, State: sale.State, StartsAt: sale.StartsAt, EndsAt: sale.EndsAt, Version: sale.Version,
		Items: make([]toldItem, len(sale.Items)),
	}
	for i, item := range sale.Items {
		told.Items[i] = toldItem{item.ID, item.SKU, item.Title, item.PriceMinor, item.Currency, item.Allotment}
	}
	return told
}

// saleEventType is what a transition is told as. A sale that was paused before its start resumes and starts later.
func saleEventType(change seckill.SaleChange) (seckill.EventType, bool) {
	switch change.To {
	case seckill.SalePaused:
		return seckill.EventSalePaused, true
	case seckill.SaleEnded:
		return seckill.EventSaleEnded, true
	case seckill.SaleScheduled, seckill.SaleLive:
		if slices.Contains(change.From, seckill.SalePaused) {
			return seckill.EventSaleResumed, true
		}
		if change.To == seckill.SaleLive {
			return seckill.EventSaleStarted, true
		}
		return seckill.EventSaleScheduled, true
	default:
		return "", false
	}
}
