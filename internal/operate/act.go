package operate

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// What the operators' log calls the other acts. One that ends in -ed tells what came of the one before.
const (
	actionCreate    = "sale.create"
	actionUpdate    = "sale.update"
	actionDelete    = "sale.delete"
	actionAdjust    = "stock.adjust"
	actionAdjusted  = "stock.adjusted"
	actionReopen    = "stock.reopen"
	actionReopened  = "stock.reopened"
	actionCancel    = "order.cancel"
	actionCancelled = "order.cancelled"
	actionRefund    = "order.refund"
	actionRefunded  = "order.refund_accepted"
	actionReplay    = "letter.replay"
	actionReplayed  = "letter.replayed"
	actionDiscard   = "letter.discard"
	actionDiscarded = "letter.discarded"

	actionReplayEvent    = "event.replay"
	actionEventReplayed  = "event.replayed"
	actionDiscardEvent   = "event.discard"
	actionEventDiscarded = "event.discarded"

	actionReplayEvents    = "events.replay"
	actionEventsReplayed  = "events.replayed"
	actionDiscardEvents   = "events.discard"
	actionEventsDiscarded = "events.discarded"
)

// loggedItem is an item in the operators' log, in the words of the API.
type loggedItem struct {
	ID           seckill.ID `json:"id"`
	SKU          string     `json:"sku"`
	Title        string     `json:"title"`
	PriceMinor   int64      `json:"price_minor"`
	Currency     string     `json:"currency"`
	Allotment    int64      `json:"allotment"`
	LimitPerUser int64      `json:"limit_per_user"`
	OneTry       bool       `json:"one_try"`
}

func logged(sale seckill.Sale) map[string]any {
	items := make([]loggedItem, len(sale.Items))
	for i, item := range sale.Items {
		items[i] = loggedItem{
			item.ID, item.SKU, item.Title, item.PriceMinor, item.Currency, item.Allotment, item.LimitPerUser, item.OneTry,
		}
	}
	return map[string]any{
		"name": sale.Name, "state": sale.State, "items": items,
		"starts_at": sale.StartsAt.UTC().Format(time.RFC3339Nano), "ends_at": sale.EndsAt.UTC().Format(time.RFC3339Nano),
		"pay_within_seconds": int64(sale.PayWithin / time.Second),
	}
}

// snapshot is the whole sale.
func snapshot(sale seckill.Sale) string { return encode(logged(sale)) }

// difference is what an edit changed, before and after.
func difference(from, to seckill.Sale) (before, after string) {
	old, next := logged(from), logged(to)
	same := func(key string, value any) bool { return reflect.DeepEqual(value, next[key]) }
	kept := maps.Clone(old)
	maps.DeleteFunc(old, same)
	maps.DeleteFunc(next, func(key string, value any) bool { return reflect.DeepEqual(value, kept[key]) })
	return encode(old), encode(next)
}

func stateOnly(state seckill.SaleState) string { return encode(map[string]any{"state": state}) }

// encode writes JSON as people read it: < and & as they are. The maps above always encode.
func encode(fields map[string]any) string {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(fields); err != nil {
		return ""
	}
	return string(bytes.TrimSpace(text.Bytes()))
}
