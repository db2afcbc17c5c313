package httpapi

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/gin-gonic/gin"

	"github.com/seckill-dev/seckill/api"
	"github.com/seckill-dev/seckill/internal/purchase"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// reserve buys.
func (s *shoppers) reserve(ctx context.Context, c *gin.Context, user seckill.UserID) error {
	request, err := readPurchase(c, user)
	if err != nil {
		return err
	}
	receipt, err := s.buy(ctx, request)
	if err != nil {
		return err
	}
	if receipt.Replayed {
		c.Writer.Header().Set("Idempotent-Replayed", "true")
	}
	s.write(c, http.StatusAccepted, jsonMediaType, appendReceipt(make([]byte, 0, hotAnswerBytes), wireReceipt(receipt.Reservation)))
	s.noteAccepted(ctx, c, seckill.HomeShard(s.shards, receipt.Reservation.Item), receipt)
	return nil
}

// buy tells faults apart: whatever breaks in here may have bought something.
func (s *shoppers) buy(ctx context.Context, request purchase.Request) (receipt purchase.Receipt, err error) {
	defer func() {
		if value := recover(); value != nil {
			err = bought{newPanicked(value)}
		}
	}()
	receipt, err = s.purchases.Buy(ctx, request)
	if err != nil && seckill.ReasonOf(err) == "" {
		return purchase.Receipt{}, bought{err}
	}
	return receipt, err
}

// bought is a fault while buying: unlike any other, it does not mean that nothing happened.
type bought struct{ cause error }

func (b bought) Error() string { return "buy: " + b.cause.Error() }
func (b bought) Unwrap() error { return b.cause }

func readPurchase(c *gin.Context, user seckill.UserID) (purchase.Request, error) {
	item, err := pathID(c, "item_id")
	if err != nil {
		return purchase.Request{}, err
	}
	key, err := idempotencyKey(c.Request.Header[keyHeader])
	if err != nil {
		return purchase.Request{}, err
	}
	body, err := readBody(c, bodyMax)
	if err != nil {
		return purchase.Request{}, err
	}
	quantity, err := decodeQuantity(body)
	if err != nil {
		return purchase.Request{}, err
	}
	return purchase.Request{Item: item, User: user, Quantity: quantity, Key: key}, nil
}

// decodeQuantity reads {"quantity":n}. The way nearly every client writes it is read without a parser; the rest, and all
// that is wrong, is decodeStrict's.
func decodeQuantity(body []byte) (int64, error) {
	if n, ok := plainQuantity(body); ok {
		return n, nil
	}
	var wire api.ReserveRequest
	if err := decodeStrict(body, &wire); err != nil {
		return 0, err
	}
	if wire.Quantity < 1 || wire.Quantity > seckill.QuantityMax {
		return 0, seckill.InvalidField("quantity", fmt.Sprintf("quantity is from 1 to %d", seckill.QuantityMax))
	}
	return wire.Quantity, nil
}

// plainQuantity reads {"quantity":n}, with at most one space after the colon, for n from 1 to 999.
func plainQuantity(body []byte) (int64, bool) {
	const open, digitsMax = `{"quantity":`, 3
	if len(body) < len(open)+2 || string(body[:len(open)]) != open || body[len(body)-1] != '}' {
		return 0, false
	}
	digits := body[len(open) : len(body)-1]
	if digits[0] == ' ' {
		digits = digits[1:]
	}
	if len(digits) == 0 || len(digits) > digitsMax || digits[0] == '0' {
		return 0, false
	}
	n := int64(0)
	for _, digit := range digits {
		if digit < '0' || digit > '9' {
			return 0, false
		}
		n = n*10 + int64(digit-'0')
	}
	return n, true
}

// getReservation tells how a reservation stands, and waits for its decision when asked to.
func (s *shoppers) getReservation(ctx context.Context, c *gin.Context, user seckill.UserID) error {
	item, err := pathID(c, "item_id")
	if err != nil {
		return err
	}
	id, err := pathID(c, "reservation_id")
	if err != nil {
		return err
	}
	asked, err := queryOf(c)
	if err != nil {
		return err
	}
	wait, err := asked.wait()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, wait+requestTimeout)
	defer cancel()
	reservation, err := s.purchases.Status(ctx, user, item, id, wait)
	if err != nil {
		return err
	}
	return s.reply(c, http.StatusOK, wireReservation(reservation))
}

// listReservations shows the caller's own, oldest first.
func (s *shoppers) listReservations(ctx context.Context, c *gin.Context, user seckill.UserID) error {
	item, err := pathID(c, "item_id")
	if err != nil {
		return err
	}
	asked, err := queryOf(c)
	if err != nil {
		return err
	}
	page, err := asked.page()
	if err != nil {
		return err
	}
	mine, err := s.purchases.Mine(ctx, user, item)
	if err != nil {
		return err
	}
	mine = slices.SortedFunc(slices.Values(mine), func(a, b seckill.Reservation) int { return cmp.Compare(a.ID, b.ID) })
	part, next := cut(mine, page, func(r seckill.Reservation) seckill.ID { return r.ID }, oldestFirst)
	return s.reply(c, http.StatusOK, api.ReservationList{Data: wireReservations(part), Next: next})
}

func wireReceipt(r seckill.Reservation) api.Receipt {
	id, item := r.ID.String(), r.Item.String()
	return api.Receipt{
		ID: id, ItemID: item, Quantity: r.Quantity, Status: api.ReservationStatus(r.State),
		Reason: api.Reason(r.Reason), Links: links(item, id),
	}
}

func wireReservation(r seckill.Reservation) api.Reservation {
	id, item := r.ID.String(), r.Item.String()
	wire := api.Reservation{
		ID: id, ItemID: item, Quantity: r.Quantity, Status: api.ReservationStatus(r.State),
		Reason: api.Reason(r.Reason), Links: links(item, id),
	}
	if r.State == seckill.ReservationOrdered {
		wire.OrderID = wire.ID // they share it
	}
	return wire
}

func wireReservations(all []seckill.Reservation) []api.Reservation {
	wire := make([]api.Reservation, len(all))
	for i, r := range all {
		wire[i] = wireReservation(r)
	}
	return wire
}

// wireHeld leaves out how they stand, which a refusal does not know.
func wireHeld(all []seckill.Reservation) []api.HeldReservation {
	wire := make([]api.HeldReservation, len(all))
	for i, r := range all {
		id, item := r.ID.String(), r.Item.String()
		wire[i] = api.HeldReservation{ID: id, ItemID: item, Quantity: r.Quantity, Links: links(item, id)}
	}
	return wire
}

func links(item, id string) api.Links {
	return api.Links{Self: reservationPath(item, id), Order: "/v1/orders/" + id}
}

func reservationPath(item, id string) string { return "/v1/items/" + item + "/reservations/" + id }
