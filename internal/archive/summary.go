package archive

import (
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Summary is what is kept of a sale. It is stored as JSON: fields are added, never changed.
type Summary struct {
	Sale     seckill.ID    `json:"sale"`
	Name     string        `json:"name"`
	StartsAt time.Time     `json:"starts_at"`
	EndsAt   time.Time     `json:"ends_at"`
	Items    []ItemSummary `json:"items"`
}

// ItemSummary is what became of one item. Money is in minor units of Currency.
type ItemSummary struct {
	Item          seckill.ID                     `json:"item"`
	SKU           string                         `json:"sku"`
	Title         string                         `json:"title"`
	PriceMinor    int64                          `json:"price_minor"`
	Currency      string                         `json:"currency"`
	Allotted      int64                          `json:"allotted"`
	Claimed       int64                          `json:"claimed"`
	Claims        map[seckill.ClaimState]Figures `json:"claims"`
	Orders        map[seckill.OrderState]Figures `json:"orders"`
	Charges       int64                          `json:"charges"`
	Refunds       int64                          `json:"refunds"`
	ChargedMinor  int64                          `json:"charged_minor"`
	RefundedMinor int64                          `json:"refunded_minor"`
}

// Figures are how many rows there are, and for how many units.
type Figures struct {
	Count int64 `json:"count"`
	Units int64 `json:"units"`
}

func (f Figures) plus(units int64) Figures { return Figures{f.Count + 1, f.Units + units} }

func newSummary(sale seckill.Sale) Summary {
	summary := Summary{Sale: sale.ID, Name: sale.Name, StartsAt: sale.StartsAt, EndsAt: sale.EndsAt}
	for _, item := range sale.Items {
		summary.Items = append(summary.Items, ItemSummary{
			Item: item.ID, SKU: item.SKU, Title: item.Title, PriceMinor: item.PriceMinor, Currency: item.Currency,
			Claims: make(map[seckill.ClaimState]Figures), Orders: make(map[seckill.OrderState]Figures),
		})
	}
	return summary
}
