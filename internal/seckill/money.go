package seckill

import (
	"fmt"
	"strconv"
)

// Decimals is how many digits of an amount stand behind the point: how many minor units make one of a currency (ISO 4217).
// Two is what it has of those it does not list, as nearly all of them.
func Decimals(currency string) int {
	switch currency {
	case "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF":
		return 0
	case "BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND":
		return 3
	case "CLF", "UYW":
		return 4
	default:
		return 2
	}
}

// PlainAmount writes minor units of a currency as people read them, without its name: 1290 in EUR is 12.90, in JPY 1290.
func PlainAmount(minor int64, currency string) string {
	decimals := Decimals(currency)
	if decimals == 0 {
		return strconv.FormatInt(minor, 10)
	}
	sign, size := "", uint64(minor)
	if minor < 0 {
		sign, size = "-", -size
	}
	digits := fmt.Sprintf("%0*d", decimals+1, size)
	point := len(digits) - decimals
	return sign + digits[:point] + "." + digits[point:]
}

// Amount writes them with the name of the currency: 12.90 EUR.
func Amount(minor int64, currency string) string {
	return PlainAmount(minor, currency) + " " + currency
}
