package seckill

import (
	"strconv"
	"strings"
)

// form reads a message in exactly the form that reserve.lua and Encode write, without the cost of JSON in general. What is
// written in any other way is left to that; so is everything that is wrong, since that has the words for it.
type form struct {
	rest string
	bad  bool
}

// decodeForm reads a message of the fixed form. False: it is of another one.
func decodeForm(body []byte) (wireMessage, []Reserved, bool) {
	f := form{rest: string(body)}
	var wire wireMessage
	f.skip(`{"v":`)
	wire.Version = int(f.number())
	f.skip(`,"batch":"`)
	wire.Batch = f.id()
	f.skip(`","item":"`)
	wire.Item = f.id()
	f.skip(`","epoch":`)
	wire.Epoch = f.number()
	f.skip(`,"at":`)
	wire.At = f.number()
	f.skip(`,"sold":`)
	wire.Sold = f.number()
	f.skip(`,"reservations":[`)
	reservations := make([]Reserved, 0, strings.Count(f.rest, "["))
	for {
		reservations = append(reservations, f.reserved())
		if f.bad || !f.more() {
			break
		}
	}
	f.skip("]}")
	return wire, reservations, !f.bad && f.rest == ""
}

func (f *form) reserved() Reserved {
	var r Reserved
	f.skip(`["`)
	r.ID = f.id()
	f.skip(`","`)
	r.User = UserID(f.plain())
	f.skip(`",`)
	r.Quantity = f.number()
	f.skip(`,"`)
	r.KeyHash = f.plain()
	f.skip(`"]`)
	return r
}

func (f *form) skip(text string) {
	rest, found := strings.CutPrefix(f.rest, text)
	f.rest, f.bad = rest, f.bad || !found
}

// more skips a comma, if there is one.
func (f *form) more() (found bool) {
	f.rest, found = strings.CutPrefix(f.rest, ",")
	return found
}

// plain is a text up to its end, in characters that JSON writes as they are.
func (f *form) plain() string {
	end := 0
	for end < len(f.rest) && userIDByte(f.rest[end]) {
		end++
	}
	return f.take(end)
}

// number is a decimal without sign, leading zeros or anything else that JSON would read in another way.
func (f *form) number() int64 {
	end := 0
	for end < len(f.rest) && f.rest[end] >= '0' && f.rest[end] <= '9' {
		end++
	}
	text := f.take(end)
	n, err := strconv.ParseInt(text, 10, 64)
	f.bad = f.bad || err != nil || (text[0] == '0' && text != "0")
	return n
}

func (f *form) id() ID { return ID(f.number()) }

func (f *form) take(length int) string {
	taken := f.rest[:length]
	f.rest = f.rest[length:]
	return taken
}
