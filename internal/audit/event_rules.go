package audit

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	// unspreadMax is how old an event may become that a running keeper neither spreads nor drops.
	unspreadMax = seckill.UntoldFor + time.Hour
	// tellWaitMax is how far ahead the next try of a dispatch may be.
	tellWaitMax = 2 * time.Hour
)

func eventRules() []eventRule {
	return []eventRule{
		{"event_type", eventType},
		{"event_misplaced", eventMisplaced},
		{"event_subject", eventSubject},
		{"event_version", eventVersion},
		{"event_step", eventStep},
		{"event_twice", eventTwice},
		{"event_data", eventData},
		{"event_at", eventAt},
		{"event_dispatches", eventDispatches},
	}
}

func dispatchRules() []dispatchRule {
	return []dispatchRule{
		{"dispatch_event", dispatchEvent},
		{"dispatch_times", dispatchTimes},
	}
}

// orderUntold: what an order has come to is told the shop; the step names the event until everybody has it.
func orderUntold(o ordered) string {
	if len(o.money.Untold) == 0 {
		return ""
	}
	step := o.money.Untold[0]
	return fmt.Sprintf("the shop is to be told that it became %s (version %d), but event %s is gone", step.State, step.Version, step.Tells)
}

func eventType(t telling) string {
	if slices.Contains(seckill.EventTypes(), t.event.Type) {
		return ""
	}
	return fmt.Sprintf("the type %q does not exist", t.event.Type)
}

// eventMisplaced: the order of a subject's events is kept within a shard.
func eventMisplaced(t telling) string {
	if t.shard != t.home {
		return fmt.Sprintf("the row is on shard %d, but what %s is about lives on %d", t.shard, t.event.Subject, t.home)
	}
	return differ("its bucket", int64(t.event.ID.Bucket()), "its subject's is", int64(t.event.Subject.Bucket()))
}

func eventSubject(t telling) string {
	if t.order != nil || t.sale != nil || t.stock != nil {
		return ""
	}
	return fmt.Sprintf("it is %s of %s, which there is not", t.event.Type, t.event.Subject)
}

// eventVersion compares with a subject that was read after the event: versions only rise.
func eventVersion(t telling) string {
	if now := t.version(); t.event.Version < 1 || t.event.Version > now {
		return fmt.Sprintf("version is %d, but the subject's is %d", t.event.Version, now)
	}
	return ""
}

// version is the subject's; that of one which does not exist fits all.
func (t telling) version() int64 {
	switch {
	case t.order != nil:
		return t.order.Version
	case t.sale != nil:
		return t.sale.Version
	case t.stock != nil:
		return t.stock.Version
	default:
		return t.event.Version
	}
}

// eventStep: the step of an order that an event tells of names it.
func eventStep(t telling) string {
	switch {
	case !t.event.Type.OfOrder():
		return ""
	case t.event.Step == "":
		return fmt.Sprintf("no step of the order has version %d and names it", t.event.Version)
	case t.event.Step.Told() != t.event.Type:
		return fmt.Sprintf("it is %s, but the order became %s", t.event.Type, t.event.Step)
	default:
		return ""
	}
}

func eventTwice(t telling) string {
	if t.event.Alike <= 1 {
		return ""
	}
	return fmt.Sprintf("%d events are of version %d of %s", t.event.Alike, t.event.Version, t.event.Subject)
}

// said is what the shop reads in an event.
type said struct {
	ID          seckill.ID         `json:"id"`
	Version     int64              `json:"version"`
	Item        seckill.ID         `json:"item_id"`
	User        seckill.UserID     `json:"user_id"`
	Quantity    int64              `json:"quantity"`
	AmountMinor int64              `json:"amount_minor"`
	Currency    string             `json:"currency"`
	Status      seckill.OrderState `json:"status"`
	State       seckill.SaleState  `json:"state"`
	Allotted    int64              `json:"allotted"`
}

// eventData: what the shop reads is what the event is about.
func eventData(t telling) string {
	var s said
	if err := json.Unmarshal(t.event.Data, &s); err != nil {
		return fmt.Sprintf("its data cannot be read: %v", err)
	}
	switch kind := t.event.Type; {
	case s.ID != t.event.Subject || s.Version != t.event.Version:
		return fmt.Sprintf("its data is about version %d of %s, but it is of version %d of %s", s.Version, s.ID, t.event.Version, t.event.Subject)
	case t.order != nil && s.Status.Told() != kind:
		return fmt.Sprintf("it is %s, but says that the order is %s", kind, s.Status)
	case t.order != nil:
		return s.ofOrder(*t.order)
	case t.sale != nil && !slices.Contains(kind.SaleStates(), s.State):
		return fmt.Sprintf("it is %s, but says that the sale is %s", kind, s.State)
	case t.stock != nil && t.stock.Version == t.event.Version:
		return s.ofStock(*t.stock)
	default:
		return ""
	}
}

// ofOrder compares with what never changes of an order.
func (s said) ofOrder(o seckill.Order) string {
	if s.Item == o.Item && s.User == o.User && s.Quantity == o.Quantity && s.AmountMinor == o.AmountMinor() && s.Currency == o.Currency {
		return ""
	}
	return fmt.Sprintf("it says that %s bought %d of item %s for %d %s, but the order that %s bought %d of item %s for %d %s",
		s.User, s.Quantity, s.Item, s.AmountMinor, s.Currency, o.User, o.Quantity, o.Item, o.AmountMinor(), o.Currency)
}

func (s said) ofStock(stock seckill.Stock) string {
	if s.Allotted == stock.Allotted && stock.Claimed == stock.Allotted {
		return ""
	}
	return fmt.Sprintf("it says that all %d are sold, but %d of %d are claimed", s.Allotted, stock.Claimed, stock.Allotted)
}

func eventAt(t telling) string { return writtenBy("at", t.event.At, t.event.ReadAt) }

// eventDispatches: once spread an event has a dispatch for each endpoint that has not been told, and is deleted with the last.
func eventDispatches(t telling) string {
	found := int64(len(t.event.Dispatches))
	switch old := t.event.ReadAt.Sub(t.event.At); {
	case !t.event.Spread && found > 0:
		return fmt.Sprintf("it is not spread yet, but has %d dispatches", found)
	case !t.event.Spread && t.running && old > unspreadMax:
		return fmt.Sprintf("it was neither spread nor dropped for %s", old)
	case t.event.Spread && t.event.Left == 0:
		return "nobody has still to be told of it, but it is there"
	default:
		return differ("the number of its dispatches", found, "there should be", t.event.Left)
	}
}

// dispatchEvent: a subject's events are told in the order of what their dispatches say.
func dispatchEvent(t telling, d seckill.BookedDispatch) string {
	if d.Subject == t.event.Subject && d.Version == t.event.Version {
		return ""
	}
	return fmt.Sprintf("it is of version %d of %s, but the event of version %d of %s", d.Version, d.Subject, t.event.Version, t.event.Subject)
}

// dispatchTimes: nothing waits for ever.
func dispatchTimes(t telling, d seckill.BookedDispatch) string {
	switch {
	case d.Tries < 0:
		return fmt.Sprintf("it was tried %d times", d.Tries)
	case !d.Dead && d.NextAt.After(t.event.ReadAt.Add(tellWaitMax)):
		return fmt.Sprintf("it is not tried again before %d", milli(d.NextAt))
	default:
		return writtenBy("since", d.Since, t.event.ReadAt)
	}
}
