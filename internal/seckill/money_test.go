package seckill_test

import (
	"math"
	"testing"

	"github.com/seckill-dev/seckill/internal/seckill"
)

func TestAmount(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		minor    int64
		currency string
		want     string
	}{
		{"has hundredths unless it is listed", 4999, "EUR", "49.99 EUR"},
		{"has them of what nobody knows", 4999, "XYZ", "49.99 XYZ"},
		{"fills up what is less than one", 7, "EUR", "0.07 EUR"},
		{"writes nothing as nothing", 0, "EUR", "0.00 EUR"},
		{"has no point where there are no minor units", 4999, "JPY", "4999 JPY"},
		{"has none for the won", 4999, "KRW", "4999 KRW"},
		{"has none for the króna", 500, "ISK", "500 ISK"},
		{"has thousandths", 4999, "KWD", "4.999 KWD"},
		{"has them for the Bahraini dinar", 5, "BHD", "0.005 BHD"},
		{"has ten thousandths", 4999, "CLF", "0.4999 CLF"},
		{"keeps a sign before all digits", -5, "EUR", "-0.05 EUR"},
		{"writes the largest", math.MaxInt64, "EUR", "92233720368547758.07 EUR"},
		{"writes the smallest", math.MinInt64, "EUR", "-92233720368547758.08 EUR"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := seckill.Amount(c.minor, c.currency); got != c.want {
				t.Errorf("%d %s is written as %s, want %s", c.minor, c.currency, got, c.want)
			}
		})
	}
}
