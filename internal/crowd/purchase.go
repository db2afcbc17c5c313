package crowd

import (
	"fmt"
	"slices"
	"time"

	"github.com/seckill-dev/seckill/api"
)

// purchase is what a shopper wants under one key, or once without a key, and what is known of it.
type purchase struct {
	key      string
	quantity int64
	// inLine says that it waits for units that come back.
	inLine bool

	// id is the reservation that was promised.
	id string
	// boughtAt is when that was answered first.
	boughtAt time.Time
	// rejection is why it was rejected after that; decided says that the wait for it is over.
	rejection api.Reason
	decided   bool
	// maybe are reservations of which nobody knows, lost the number of answers that never came: each may be an order.
	maybe []string
	lost  int
	// orders is how many orders belong to it.
	orders int
}

func (p *purchase) promised() bool { return p.id != "" && p.rejection == "" }

// hear notes an answer, and returns what about it cannot be true.
func (p *purchase) hear(a answer) []Problem {
	switch a.kind {
	case accepted:
		return p.hearAccepted(a)
	case declined:
		return p.hearDeclined(a)
	case refused:
		return p.hearRefused(a)
	case unknown:
		p.hearUnknown(a)
	case lost:
		p.lose()
	case unsent:
	}
	return nil
}

// lose notes an answer that never came. What is under a key that holds a reservation is known all the same.
func (p *purchase) lose() {
	switch {
	case p.key == "":
		p.lost++
	case p.id == "":
		p.lost = 1
	}
}

func (p *purchase) hearAccepted(a answer) []Problem {
	found := p.other(a)
	if a.quantity != p.quantity {
		found = append(found, Problem{
			Kind: OrderDiffers, Reservation: a.id,
			Detail: fmt.Sprintf("asked for %d, queued for %d", p.quantity, a.quantity),
		})
	}
	if p.id == "" {
		p.id = a.id
	}
	if p.key != "" {
		p.lost = 0
	}
	return found
}

func (p *purchase) hearDeclined(a answer) []Problem {
	if p.id == "" {
		p.settle()
		return nil
	}
	if found := p.other(a); len(found) > 0 {
		return found
	}
	p.reject(a.reason)
	return nil
}

// reject notes an explicit rejection of what was promised.
func (p *purchase) reject(reason api.Reason) {
	p.decided = true
	if p.rejection = reason; reason == "" {
		p.rejection = "no reason"
	}
}

func (p *purchase) hearRefused(a answer) []Problem {
	if a.passing() {
		return nil
	}
	var found []Problem
	if p.promised() {
		found = append(found, Problem{
			Kind: RefusedThough, Reservation: p.id,
			Detail: fmt.Sprintf("the key holds it, but a retry was answered %s (%s)", a.reason, a.detail),
		})
	}
	if a.reason == api.ReasonSoldOut && (a.available == nil || *a.available >= p.quantity) {
		found = append(found, Problem{Kind: FalseSoldOut, Detail: soldOutDetail(a, p.quantity)})
	}
	if !a.expected() {
		return append(found, Problem{Kind: Unexpected, Detail: fmt.Sprintf("%s: %s", a.reason, a.detail)})
	}
	p.settle()
	return found
}

// settle: a definite "no" under a key says that the answers lost before held nothing.
func (p *purchase) settle() {
	if p.key != "" {
		p.maybe, p.lost = nil, 0
	}
}

func soldOutDetail(a answer, quantity int64) string {
	if a.available == nil {
		return "sold_out without saying how many are left"
	}
	return fmt.Sprintf("asked for %d, %d are left", quantity, *a.available)
}

// hearUnknown keeps the reservation that may exist. For a key that holds one it is only the name of the retry, from which
// nothing can come: an order of that name would be one too many.
func (p *purchase) hearUnknown(a answer) {
	switch {
	case a.id == "":
		p.lose()
	case p.id == "" && !slices.Contains(p.maybe, a.id):
		p.maybe = append(p.maybe, a.id)
	}
}

// other finds a second reservation for one purchase.
func (p *purchase) other(a answer) []Problem {
	if p.id == "" || a.id == p.id {
		return nil
	}
	return []Problem{{Kind: OtherReservation, Reservation: a.id, Detail: fmt.Sprintf("the same key was %s before", p.id)}}
}
