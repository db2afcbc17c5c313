package stripe

import (
	"fmt"
	"math"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// unitsOf is how many of Stripe's units are one of ours, which are those of seckill.Decimals. It counts the króna in
// hundredths although it has none any more: for what costs ISK 500, in minor units 500, it is asked for 50000.
func unitsOf(currency string) int64 {
	if currency == "ISK" {
		return 100
	}
	return 1
}

// theirs is one of our amounts as Stripe counts. Nobody is charged in currencies of which Stripe's documents say both that
// they have hundredths and that they have none.
func theirs(minor int64, currency string) (int64, error) {
	units := unitsOf(currency)
	if currency == "MGA" || currency == "UGX" || minor > math.MaxInt64/units {
		return 0, fmt.Errorf("%w: nobody is sure how it counts %d %s", seckill.ErrRefused, minor, currency)
	}
	return minor * units, nil
}

// ours is one of Stripe's amounts as we count.
func ours(amount int64, currency string) int64 { return amount / unitsOf(currency) }
