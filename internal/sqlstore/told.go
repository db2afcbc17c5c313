package sqlstore

import (
	"gorm.io/gorm"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// tellOrders tells the shop what orders have become, if anybody listens, and returns the events by their orders.
func (s *Store) tellOrders(tx *gorm.DB, orders []seckill.Order) (map[seckill.ID]seckill.ID, error) {
	if !s.tells {
		return nil, nil
	}
	events := make([]seckill.Event, 0, len(orders))
	for _, order := range orders {
		event, isTold, err := seckill.NewOrderEvent(order)
		if err != nil {
			return nil, err
		}
		if isTold {
			events = append(events, event)
		}
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

// tellSale tells of a transition that has just been made; the sale's row is locked.
func (c Catalog) tellSale(tx *gorm.DB, change seckill.SaleChange) error {
	if !c.tells {
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
	var events []seckill.Event
	for _, sale := range sales {
		event, isTold, err := seckill.NewSaleEvent(sale, change)
		if err != nil {
			return err
		}
		if isTold {
			events = append(events, event)
		}
	}
	return c.tell(tx, events)
}
