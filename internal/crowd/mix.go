package crowd

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
)

// part is what a shopper does about an order.
type part string

const (
	onlyLook   part = ""
	payInTime  part = "pay"
	abandonIt  part = "abandon"
	cancelIt   part = "cancel"
	payLate    part = "late"
	payTwice   part = "twice"
	cancelOnce part = "again" // cancel, then buy and pay after all
)

// Mix says what shoppers do about their orders, as weights. The zero Mix only looks at them.
type Mix struct {
	Pay, Abandon, Cancel, Late, Twice, Again int
}

// weightMax bounds one weight, so that their sum stays a number.
const weightMax = 1_000_000

// ParseMix reads "pay=60,abandon=15"; parts that are not named have no weight, and an empty text is the zero Mix.
func ParseMix(text string) (Mix, error) {
	var m Mix
	if text == "" {
		return m, nil
	}
	seen := make(map[part]bool)
	for field := range strings.SplitSeq(text, ",") {
		name, number, _ := strings.Cut(field, "=")
		weight := m.weight(part(name))
		switch n, err := strconv.Atoi(number); {
		case weight == nil:
			return Mix{}, fmt.Errorf("there is no part %q; there are pay, abandon, cancel, late, twice and again", name)
		case seen[part(name)]:
			return Mix{}, fmt.Errorf("%s is there twice", name)
		case err != nil || n < 0 || n > weightMax:
			return Mix{}, fmt.Errorf("%s needs a weight of 0-%d, not %q", name, weightMax, number)
		default:
			seen[part(name)], *weight = true, n
		}
	}
	if !m.on() {
		return Mix{}, errors.New("all weights are 0")
	}
	return m, nil
}

// weight is a part's; nil when there is no such part.
func (m *Mix) weight(p part) *int {
	switch p {
	case payInTime:
		return &m.Pay
	case abandonIt:
		return &m.Abandon
	case cancelIt:
		return &m.Cancel
	case payLate:
		return &m.Late
	case payTwice:
		return &m.Twice
	case cancelOnce:
		return &m.Again
	default:
		return nil
	}
}

func (m Mix) on() bool { return m != Mix{} }

// pays says that somebody pays.
func (m Mix) pays() bool { return m.Pay+m.Late+m.Twice+m.Again > 0 }

// draw gives one shopper a part.
func (m Mix) draw(random *rand.Rand) part {
	if !m.on() {
		return onlyLook
	}
	parts := []part{payInTime, abandonIt, cancelIt, payLate, payTwice, cancelOnce}
	total := 0
	for _, p := range parts {
		total += *m.weight(p)
	}
	at := random.IntN(total)
	for _, p := range parts {
		if at -= *m.weight(p); at < 0 {
			return p
		}
	}
	return onlyLook
}
