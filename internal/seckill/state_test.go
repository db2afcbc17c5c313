package seckill_test

import (
	"slices"
	"testing"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// state is what the state machines have in common.
type state[S any] interface {
	comparable
	CanBecome(next S) bool
}

// wantTransitions holds every pair of states against the arrows of the machine; what is not named is forbidden.
func wantTransitions[S state[S]](t *testing.T, states []S, arrows map[S][]S) {
	t.Helper()
	for from := range arrows {
		if !slices.Contains(states, from) {
			t.Errorf("%v is not among the states", from)
		}
	}
	var none S
	for _, from := range append(slices.Clone(states), none) {
		for _, to := range append(slices.Clone(states), none) {
			if got, want := from.CanBecome(to), slices.Contains(arrows[from], to); got != want {
				t.Errorf("%v -> %v: %t, want %t", from, to, got, want)
			}
		}
	}
}

func TestReservationStates(t *testing.T) {
	t.Parallel()
	wantTransitions(t, seckill.ReservationStates(), map[seckill.ReservationState][]seckill.ReservationState{
		seckill.ReservationQueued: {seckill.ReservationOrdered, seckill.ReservationRejected},
	})
}

func TestOrderStates(t *testing.T) {
	t.Parallel()
	wantTransitions(t, seckill.OrderStates(), map[seckill.OrderState][]seckill.OrderState{
		seckill.OrderUnpaid:    {seckill.OrderPaid, seckill.OrderCancelled},
		seckill.OrderPaid:      {seckill.OrderRefunding},
		seckill.OrderRefunding: {seckill.OrderRefunded},
	})
}

func TestSaleStates(t *testing.T) {
	t.Parallel()
	wantTransitions(t, seckill.SaleStates(), map[seckill.SaleState][]seckill.SaleState{
		seckill.SaleDraft:     {seckill.SaleScheduled},
		seckill.SaleScheduled: {seckill.SaleLive, seckill.SalePaused, seckill.SaleEnded},
		seckill.SaleLive:      {seckill.SalePaused, seckill.SaleEnded},
		seckill.SalePaused:    {seckill.SaleLive, seckill.SaleScheduled, seckill.SaleEnded},
	})
}

func TestStockStates(t *testing.T) {
	t.Parallel()
	wantTransitions(t, seckill.StockStates(), map[seckill.StockState][]seckill.StockState{
		seckill.StockNew:     {seckill.StockLoading, seckill.StockClosed},
		seckill.StockLoading: {seckill.StockOpen, seckill.StockLoading, seckill.StockClosed},
		seckill.StockOpen:    {seckill.StockSealing},
		seckill.StockSealing: {seckill.StockLoading, seckill.StockClosed},
	})
}

func TestClaimReservation(t *testing.T) {
	t.Parallel()
	held := seckill.Claim{ID: 7, Item: 8, User: "ann", Quantity: 2, State: seckill.ClaimHeld}
	for name, c := range map[string]struct {
		change func(*seckill.Claim)
		state  seckill.ReservationState
		reason seckill.Reason
	}{
		"held, no order yet":         {func(*seckill.Claim) {}, seckill.ReservationQueued, ""},
		"held and ordered":           {func(c *seckill.Claim) { c.Ordered = true }, seckill.ReservationOrdered, ""},
		"returned after its order":   {func(c *seckill.Claim) { c.State, c.Ordered = seckill.ClaimReturned, true }, seckill.ReservationOrdered, ""},
		"rejected for its reason":    {func(c *seckill.Claim) { c.State, c.Reason = seckill.ClaimRejected, seckill.SoldOut }, seckill.ReservationRejected, seckill.SoldOut},
		"held, a reason left behind": {func(c *seckill.Claim) { c.Reason = seckill.SoldOut }, seckill.ReservationQueued, ""},
	} {
		claim := held
		c.change(&claim)
		want := seckill.Reservation{ID: 7, Item: 8, User: "ann", Quantity: 2, State: c.state, Reason: c.reason}
		if got := claim.Reservation(); got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
}
