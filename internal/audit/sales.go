package audit

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	tableSales = "sales"
	tableItems = "items"
)

type saleRule struct {
	id     string
	broken func(seckill.Sale) string
}

func saleRules() []saleRule {
	return []saleRule{
		{"sale_state", saleState},
		{"sale_window", saleWindow},
		{"sale_pay_within", salePayWithin},
	}
}

type itemRule struct {
	id     string
	broken func(seckill.Item) string
}

func itemRules() []itemRule {
	return []itemRule{
		{"item_limit", itemLimit},
		{"item_allotment", itemAllotment},
		{"item_price", itemPrice},
		{"item_currency", itemCurrency},
	}
}

// readSales holds every sale with its items against what an operator may say of one.
func (r *run) readSales(ctx context.Context) error {
	for _, sale := range r.sales {
		again := false
		err := r.confirm(ctx, func(ctx context.Context) (_ []Finding, err error) {
			if again {
				sale, err = r.ports.Catalog.Sale(ctx, sale.ID)
			}
			again = true
			if errors.Is(err, seckill.ErrNotFound) {
				return nil, nil // a draft that was deleted meanwhile
			}
			return judgeSale(sale), err
		})
		if err != nil {
			return fmt.Errorf("sale %s: %w", sale.ID, err)
		}
	}
	return nil
}

func judgeSale(sale seckill.Sale) []Finding {
	var findings []Finding
	for _, rule := range saleRules() {
		if detail := rule.broken(sale); detail != "" {
			findings = append(findings, Finding{ID: rule.id, Table: tableSales, Key: sale.ID.String(), Detail: detail})
		}
	}
	for _, item := range sale.Items {
		for _, rule := range itemRules() {
			if detail := rule.broken(item); detail != "" {
				findings = append(findings, Finding{
					ID: rule.id, Item: item.ID, Table: tableItems, Key: item.ID.String(), Detail: detail,
				})
			}
		}
	}
	return findings
}

func saleState(s seckill.Sale) string {
	if slices.Contains(seckill.SaleStates(), s.State) {
		return ""
	}
	return fmt.Sprintf("the state %q does not exist", s.State)
}

func saleWindow(s seckill.Sale) string {
	if s.EndsAt.After(s.StartsAt) {
		return ""
	}
	return fmt.Sprintf("ends_at is %d, but starts_at is %d", s.EndsAt.UnixMilli(), s.StartsAt.UnixMilli())
}

func salePayWithin(s seckill.Sale) string {
	if s.PayWithin > 0 {
		return ""
	}
	return fmt.Sprintf("pay_within is %d, but must be above 0", s.PayWithin.Milliseconds())
}

func itemLimit(i seckill.Item) string {
	if i.LimitPerUser >= 1 && i.LimitPerUser <= seckill.QuantityMax {
		return ""
	}
	return fmt.Sprintf("limit_per_user is %d, but must be from 1 to %d", i.LimitPerUser, seckill.QuantityMax)
}

func itemAllotment(i seckill.Item) string { return notNegative("allotment", i.Allotment) }

func itemPrice(i seckill.Item) string { return notNegative("price_minor", i.PriceMinor) }

func notNegative(what string, is int64) string {
	if is >= 0 {
		return ""
	}
	return fmt.Sprintf("%s is %d, but must be 0 or above", what, is)
}

// itemCurrency knows the form of ISO 4217, not its list.
func itemCurrency(i seckill.Item) string {
	capitals := len(i.Currency) == 3
	for _, c := range i.Currency {
		capitals = capitals && c >= 'A' && c <= 'Z'
	}
	if capitals {
		return ""
	}
	return fmt.Sprintf("currency is %q, but must be three capital letters", i.Currency)
}
