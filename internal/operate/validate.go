package operate

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// The bounds of api/openapi.yaml; a test holds the two against each other.
const (
	nameMax        = 200
	skuMax         = 64
	titleMax       = 200
	itemsMax       = 100
	priceMax       = 1_000_000_000_000
	allotmentMax   = 100_000_000
	limitMax       = seckill.QuantityMax
	payWithinLeast = time.Second
	payWithinMost  = 7 * 24 * time.Hour
)

// Times beyond these years are slips of a unit or of a keyboard.
const (
	yearMin = 2000
	yearMax = 2199
)

// validate says what is wrong with a sale, in the client's words.
func validate(sale seckill.Sale) error {
	if err := validateHead(sale); err != nil {
		return err
	}
	if len(sale.Items) == 0 || len(sale.Items) > itemsMax {
		return seckill.InvalidField("items", fmt.Sprintf("a sale has 1-%d items, not %d", itemsMax, len(sale.Items)))
	}
	known := make(map[string]int, len(sale.Items))
	for i, item := range sale.Items {
		if err := validateItem(item, fmt.Sprintf("items[%d].", i)); err != nil {
			return err
		}
		if first, twice := known[item.SKU]; twice {
			return seckill.InvalidField(fmt.Sprintf("items[%d].sku", i),
				fmt.Sprintf("%q is the sku of items[%d] already; a sku is there once per sale", item.SKU, first))
		}
		known[item.SKU] = i
	}
	return nil
}

// validateHead looks at everything but the items.
func validateHead(sale seckill.Sale) error {
	if err := validateText("name", sale.Name, nameMax); err != nil {
		return err
	}
	if err := validateTime("starts_at", sale.StartsAt); err != nil {
		return err
	}
	if err := validateTime("ends_at", sale.EndsAt); err != nil {
		return err
	}
	if !sale.EndsAt.After(sale.StartsAt) {
		return seckill.InvalidField("ends_at", "must be after starts_at")
	}
	if sale.PayWithin < payWithinLeast || sale.PayWithin > payWithinMost || sale.PayWithin%time.Second != 0 {
		return seckill.InvalidField("pay_within_seconds",
			fmt.Sprintf("must be from %d to %d", int(payWithinLeast.Seconds()), int(payWithinMost.Seconds())))
	}
	return nil
}

func validateItem(item seckill.Item, path string) error {
	if err := validateText(path+"sku", item.SKU, skuMax); err != nil {
		return err
	}
	if err := validateText(path+"title", item.Title, titleMax); err != nil {
		return err
	}
	if err := validateRange(path+"price_minor", item.PriceMinor, 0, priceMax); err != nil {
		return err
	}
	if !isCurrency(item.Currency) {
		return seckill.InvalidField(path+"currency", "must be three capital letters (ISO 4217)")
	}
	if err := validateRange(path+"allotment", item.Allotment, 1, allotmentMax); err != nil {
		return err
	}
	return validateLimit(path+"limit_per_user", item.LimitPerUser)
}

func validateLimit(field string, limit int64) error { return validateRange(field, limit, 1, limitMax) }

func validateRange(field string, value, least, most int64) error {
	if value < least || value > most {
		return seckill.InvalidField(field, fmt.Sprintf("must be from %d to %d, not %d", least, most, value))
	}
	return nil
}

// validateText refuses what two databases, a terminal or a reader would not agree on.
func validateText(field, text string, most int) error {
	switch n := utf8.RuneCountInString(text); {
	case !utf8.ValidString(text):
		return seckill.InvalidField(field, "must be UTF-8")
	case n < 1 || n > most:
		return seckill.InvalidField(field, fmt.Sprintf("must have 1-%d characters, not %d", most, n))
	case strings.TrimSpace(text) != text:
		return seckill.InvalidField(field, "must not begin or end with a space")
	case strings.ContainsFunc(text, unicode.IsControl):
		return seckill.InvalidField(field, "must not contain control characters")
	default:
		return nil
	}
}

func validateTime(field string, t time.Time) error {
	if t.IsZero() {
		return seckill.InvalidField(field, "is missing")
	}
	if t.Year() < yearMin || t.Year() > yearMax {
		return seckill.InvalidField(field, fmt.Sprintf("must lie in the years %d-%d", yearMin, yearMax))
	}
	return nil
}

func isCurrency(code string) bool {
	if len(code) != 3 {
		return false
	}
	for i := range len(code) {
		if code[i] < 'A' || code[i] > 'Z' {
			return false
		}
	}
	return true
}
