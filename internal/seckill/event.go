package seckill

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// EventType is what the shop is told about.
type EventType string

// The events that leave the system.
const (
	EventOrderCreated   EventType = "order.created"
	EventOrderPaid      EventType = "order.paid"
	EventOrderCancelled EventType = "order.cancelled"
	EventOrderRefunded  EventType = "order.refunded"
	EventSaleScheduled  EventType = "sale.scheduled"
	EventSaleStarted    EventType = "sale.started"
	EventSalePaused     EventType = "sale.paused"
	EventSaleResumed    EventType = "sale.resumed"
	EventSaleEnded      EventType = "sale.ended"
	EventItemSoldOut    EventType = "item.sold_out"
)

// EventTypes are all there are.
func EventTypes() []EventType {
	return []EventType{
		EventOrderCreated, EventOrderPaid, EventOrderCancelled, EventOrderRefunded, EventSaleScheduled, EventSaleStarted,
		EventSalePaused, EventSaleResumed, EventSaleEnded, EventItemSoldOut,
	}
}

// OfOrder and OfSale say what the subject is; of the others it is an item.
func (t EventType) OfOrder() bool { return strings.HasPrefix(string(t), "order.") }

// OfSale is OfOrder's twin.
func (t EventType) OfSale() bool { return strings.HasPrefix(string(t), "sale.") }

// SaleStates are what a sale may be that this is told of.
func (t EventType) SaleStates() []SaleState {
	switch t {
	case EventSaleScheduled:
		return []SaleState{SaleScheduled}
	case EventSaleStarted:
		return []SaleState{SaleLive}
	case EventSalePaused:
		return []SaleState{SalePaused}
	case EventSaleResumed:
		return []SaleState{SaleScheduled, SaleLive}
	case EventSaleEnded:
		return []SaleState{SaleEnded}
	default:
		return nil
	}
}

// Told is what the shop is told when an order becomes that; "" is nothing.
func (s OrderState) Told() EventType {
	switch s {
	case OrderUnpaid:
		return EventOrderCreated
	case OrderPaid:
		return EventOrderPaid
	case OrderCancelled:
		return EventOrderCancelled
	case OrderRefunded:
		return EventOrderRefunded
	default:
		return ""
	}
}

// Event is something the shop is told, at least once to each endpoint; its id is the same every time. Events of one subject
// are told in the order of their versions.
type Event struct {
	ID   ID
	Type EventType
	// Subject is the order, sale or item; Version rises with each event of the subject.
	Subject ID
	Version int64
	// Data is the subject as it was then, in JSON.
	Data []byte
	At   time.Time
}

// Encode writes the event as every endpoint is told it: {"id":"…","type":"order.paid","subject":"…","version":2,
// "timestamp":"2026-03-20T10:00:00.25Z","data":{…}}.
func (e Event) Encode() []byte {
	return fmt.Appendf(nil, `{"id":"%d","type":"%s","subject":"%d","version":%d,"timestamp":"%s","data":%s}`,
		e.ID, e.Type, e.Subject, e.Version, e.At.UTC().Format(time.RFC3339Nano), e.Data)
}

// UntoldFor is how long events are kept that nobody is to be told of: somebody may be about to be named.
const UntoldFor = 24 * time.Hour

// DispatchLease is how long a dispatch stays with whom Due gave it to, unless he renews it: so long waits what a process had
// that died.
const DispatchLease = 10 * time.Second

// Dispatch is an event on its way to one endpoint.
type Dispatch struct {
	Event
	Endpoint string
	// Tries counts those that failed, Failure is what the last one said; Since is when the first one failed, before that
	// when the event was spread.
	Tries   int64
	Failure string
	Since   time.Time
	Dead    bool
}

// Setback is a try to tell an endpoint of an event that failed.
type Setback struct {
	Event   ID
	Failure string
	// Wait is how long the next try is put off; Dead: there is none.
	Wait time.Duration
	Dead bool
}

// DeadBatch is what was done about many dead dispatches at once.
type DeadBatch struct {
	Dispatches int
	// Last is the event to go on after; 0: there are no more.
	Last ID
}

// Events is the outbox of what the shop is told, on each shard. Rows are written by the transactions that they tell of.
type Events interface {
	// Spread writes one dispatch to each endpoint for events that have none yet, in one transaction: the oldest, about limit
	// of them, and with each those of its subject. It tells how many events these were; 0 also when another caller was
	// quicker. Without endpoints it drops those older than UntoldFor instead.
	Spread(ctx context.Context, shard int, endpoints []string, limit int) (int, error)
	// Due leases to the caller what an endpoint is to be told now, what has been due for longest first: of each subject only
	// the oldest that is neither told nor dead. Nobody else is given these for DispatchLease; those that are neither Told
	// nor Failed by then are due again. Nothing also when another caller was quicker.
	Due(ctx context.Context, shard int, endpoint string, limit int) ([]Dispatch, error)
	// Renew prolongs the lease of dispatches by DispatchLease from now. Those whose lease is over, or that were put off for
	// longer, are left alone.
	Renew(ctx context.Context, shard int, endpoint string, events []ID) error
	// Told deletes dispatches, and events that nobody has still to be told. Repeatable.
	Told(ctx context.Context, shard int, endpoint string, events []ID) error
	// Failed counts a try of each, notes what went wrong, and puts the next one off. What is told or dead by now is left alone.
	Failed(ctx context.Context, shard int, endpoint string, setbacks []Setback) error
	// Retire marks dead what endpoints other than these have not been told for UntoldFor, at most limit of them: nobody tells
	// them any more. It tells how many these were.
	Retire(ctx context.Context, shard int, endpoints []string, limit int) (int, error)
	// GiveUp marks dead what an endpoint, or with "" anybody, is still to be told, of at most limit events, the oldest first.
	// Whoever is telling some of it may still do so. It tells how many dispatches these were.
	GiveUp(ctx context.Context, shard int, endpoint string, limit int) (int, error)
	// Dead pages through dead dispatches by event id, to one endpoint or, with "", to all; the limit counts events, and each
	// comes with all its dead dispatches to these.
	Dead(ctx context.Context, shard int, endpoint string, after ID, limit int) ([]Dispatch, error)
	// Replay has a dead dispatch tried again, as if it were new; Discard deletes it. False: there is no such dead one.
	Replay(ctx context.Context, shard int, endpoint string, event ID) (bool, error)
	Discard(ctx context.Context, shard int, endpoint string, event ID) (bool, error)
	// ReplayDead and DiscardDead do that with what Dead would list, in one transaction.
	ReplayDead(ctx context.Context, shard int, endpoint string, after ID, limit int) (DeadBatch, error)
	DiscardDead(ctx context.Context, shard int, endpoint string, after ID, limit int) (DeadBatch, error)
	// Waiting counts the dispatches of an endpoint that are not dead, and tells how long the oldest has waited.
	Waiting(ctx context.Context, shard int, endpoint string) (int64, time.Duration, error)
}

// endpointNameMax is what an endpoint's name has at most: it stands in rows, paths and labels.
const endpointNameMax = 64

// IsEndpointName says whether an endpoint may be called that: 1-64 small letters, digits or dashes, no dash first.
func IsEndpointName(name string) bool {
	return name != "" && len(name) <= endpointNameMax && name[0] != '-' && !strings.ContainsFunc(name, notOfEndpoint)
}

func notOfEndpoint(c rune) bool {
	return (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-'
}

// ErrUnwanted says that an endpoint will not take an event, however often it is told.
var ErrUnwanted = errors.New("it wants no more events")

// Endpoint takes events.
type Endpoint interface {
	// Name is what its dispatches are kept under.
	Name() string
	// Tell hands over one event; nil means that the other side has it. ErrUnwanted: it never will.
	Tell(ctx context.Context, event Event) error
}
