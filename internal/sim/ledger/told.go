package ledger

import "github.com/seckill-dev/seckill/internal/seckill"

// told is what a shard's outbox has of events. events.go is for who tells of them.
type told struct {
	events table[seckill.ID, eventRow]
	// fresh have no dispatches yet.
	fresh table[seckill.ID, struct{}]
	// endpoints has the dispatches to each by event.
	endpoints table[string, table[seckill.ID, dispatchRow]]
}

// eventRow is an event; spread is 0 without dispatches, and else one more than are left.
type eventRow struct {
	seckill.Event
	spread int64
}

// dispatchRow is a dispatch without its event's words.
type dispatchRow struct {
	seckill.BookedDispatch
	event seckill.ID
}

// tell writes what the shop is told, and returns the event's id. Where nobody is told of anything it writes nothing: 0.
func (db *database) tell(event seckill.Event) seckill.ID {
	if !db.ledger.tells {
		return 0
	}
	event.ID, event.At = db.nextID(event.Subject.Bucket()), db.now()
	db.insertEvent(event)
	return event.ID
}

func (db *database) insertEvent(event seckill.Event) {
	db.told.events.put(event.ID, eventRow{Event: event})
	db.told.fresh.put(event.ID, struct{}{})
}

// tellOrder tells the shop what an order has become, if that is anything to be told.
func (db *database) tellOrder(order seckill.Order) seckill.ID {
	if !db.ledger.tells {
		return 0
	}
	event, isTold, _ := seckill.NewOrderEvent(order) // its times are of this century
	if !isTold {
		return 0
	}
	return db.tell(event)
}

// tellSale tells of a transition that has just been made.
func (db *database) tellSale(sale seckill.Sale, change seckill.SaleChange) {
	if event, isTold, _ := seckill.NewSaleEvent(sale, change); isTold { // its times are of this century
		db.tell(event)
	}
}
