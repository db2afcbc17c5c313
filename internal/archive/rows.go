package archive

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// writer writes lines of JSON, {"table": …, "row": …}. The first one is the sale, the last but one what became of it, and the
// last one says how many there are before it, so that a file that was cut off is known as one. Without an export it only counts.
type writer struct {
	lines int64
	to    *json.Encoder
}

func newWriter(export Export) writer {
	if export == nil {
		return writer{}
	}
	return writer{to: json.NewEncoder(export)}
}

// firstMax bounds the first line of what may be anything.
const firstMax = 64 << 10

// SaleOf reads of which sale something is an export, as far as its first line says so; 0 when it is none.
func SaleOf(export io.Reader) seckill.ID {
	var first struct {
		Table string
		Row   saleRow
	}
	if err := json.NewDecoder(io.LimitReader(export, firstMax)).Decode(&first); err != nil || first.Table != "sale" {
		return 0
	}
	return first.Row.Sale
}

// firstStart is how the first line of every export starts.
const firstStart = `{"table":"sale",`

// Begins says that something may be an export that was cut off anywhere: it starts as one, as far as there is any of it.
func Begins(export io.Reader) bool {
	start := make([]byte, len(firstStart))
	read, err := io.ReadFull(export, start)
	isCut := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
	return (err == nil || isCut) && strings.HasPrefix(firstStart, string(start[:read]))
}

type line struct {
	Table string `json:"table"`
	Row   any    `json:"row"`
}

func (w *writer) write(table string, row any) error {
	if w.to == nil {
		return nil
	}
	if err := w.to.Encode(line{table, row}); err != nil {
		return fmt.Errorf("write the export: %w", err)
	}
	w.lines++
	return nil
}

func writeAll[T, R any](p *pass, table string, all []T, row func(T) R) error {
	for _, one := range all {
		if err := p.write(table, row(one)); err != nil {
			return err
		}
	}
	return nil
}

type saleRow struct {
	Sale     seckill.ID `json:"sale"`
	Name     string     `json:"name"`
	StartsAt time.Time  `json:"starts_at"`
	EndsAt   time.Time  `json:"ends_at"`
}

func newSaleRow(sale seckill.Sale) saleRow {
	return saleRow{Sale: sale.ID, Name: sale.Name, StartsAt: sale.StartsAt, EndsAt: sale.EndsAt}
}

type endRow struct {
	Lines int64 `json:"lines"`
}

type claimRow struct {
	ID        seckill.ID         `json:"id"`
	Item      seckill.ID         `json:"item"`
	User      seckill.UserID     `json:"user"`
	Quantity  int64              `json:"quantity"`
	KeyHash   string             `json:"key_hash"`
	Epoch     int64              `json:"epoch"`
	State     seckill.ClaimState `json:"state"`
	Reason    seckill.Reason     `json:"reason,omitempty"`
	First     seckill.ID         `json:"first,omitzero"`
	Ordered   bool               `json:"ordered"`
	CreatedAt time.Time          `json:"created_at"`
}

func newClaimRow(c seckill.Claim) claimRow {
	return claimRow{
		ID: c.ID, Item: c.Item, User: c.User, Quantity: c.Quantity, KeyHash: c.KeyHash, Epoch: c.Epoch, State: c.State,
		Reason: c.Reason, First: c.First, Ordered: c.Ordered, CreatedAt: c.CreatedAt,
	}
}

type orderRow struct {
	ID         seckill.ID         `json:"id"`
	Item       seckill.ID         `json:"item"`
	User       seckill.UserID     `json:"user"`
	Quantity   int64              `json:"quantity"`
	PriceMinor int64              `json:"price_minor"`
	Currency   string             `json:"currency"`
	State      seckill.OrderState `json:"state"`
	PayBy      time.Time          `json:"pay_by"`
	CreatedAt  time.Time          `json:"created_at"`
	PaidAt     time.Time          `json:"paid_at,omitzero"`
	Version    int64              `json:"version"`
}

func newOrderRow(o seckill.Order) orderRow { return orderRow(o) }

type eventRow struct {
	Order   seckill.ID         `json:"order"`
	Version int64              `json:"version"`
	State   seckill.OrderState `json:"state"`
	Cause   seckill.OrderCause `json:"cause"`
	At      time.Time          `json:"at"`
}

func newEventRow(e seckill.OrderEvent) eventRow {
	return eventRow{Order: e.Order, Version: e.Version, State: e.State, Cause: e.Cause, At: e.At}
}

type paymentRow struct {
	ID          seckill.ID           `json:"id"`
	Order       seckill.ID           `json:"order"`
	Provider    string               `json:"provider"`
	Session     string               `json:"session,omitempty"`
	AmountMinor int64                `json:"amount_minor"`
	Currency    string               `json:"currency"`
	State       seckill.PaymentState `json:"state"`
	ExpiresAt   time.Time            `json:"expires_at"`
	CreatedAt   time.Time            `json:"created_at"`
}

// newPaymentRow leaves the address out: whoever has it could still look at the page.
func newPaymentRow(p seckill.Payment) paymentRow {
	return paymentRow{
		ID: p.ID, Order: p.Order, Provider: p.Provider, Session: p.Session, AmountMinor: p.AmountMinor, Currency: p.Currency,
		State: p.State, ExpiresAt: p.ExpiresAt, CreatedAt: p.CreatedAt,
	}
}

type chargeRow struct {
	Provider    string               `json:"provider"`
	Txn         string               `json:"txn"`
	Payment     seckill.ID           `json:"payment"`
	Order       seckill.ID           `json:"order"`
	AmountMinor int64                `json:"amount_minor"`
	Currency    string               `json:"currency"`
	At          time.Time            `json:"at"`
	Refund      seckill.RefundReason `json:"refund,omitempty"`
}

func newChargeRow(c seckill.Charge) chargeRow { return chargeRow(c) }

type refundRow struct {
	Provider    string               `json:"provider"`
	Txn         string               `json:"txn"`
	Order       seckill.ID           `json:"order"`
	AmountMinor int64                `json:"amount_minor"`
	Currency    string               `json:"currency"`
	Reason      seckill.RefundReason `json:"reason"`
	Restock     bool                 `json:"restock"`
	State       seckill.RefundState  `json:"state"`
	Tries       int64                `json:"tries"`
	At          time.Time            `json:"at"`
	DoneAt      time.Time            `json:"done_at,omitzero"`
}

func newRefundRow(r seckill.Refund) refundRow {
	return refundRow{
		Provider: r.Provider, Txn: r.Txn, Order: r.Order, AmountMinor: r.AmountMinor, Currency: r.Currency, Reason: r.Reason,
		Restock: r.Restock, State: r.State, Tries: r.Tries, At: r.At, DoneAt: r.DoneAt,
	}
}
