package ledger

import (
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Lack is a guard that a ledger goes without, on purpose: a mistake that SQL, or the transaction in it, would make then. It is
// how the simulator is asked whether it would notice.
type Lack string

// What may be lacking of stock and its epochs.
const (
	LackDoubt          Lack = "a seal puts nothing in doubt"
	LackDoubtTime      Lack = "doubt is released at once"
	LackCheck          Lack = "a claim needs no units, and no CHECK stands behind it"
	LackRebuildVersion Lack = "a rebuild does not ask whether the row was touched since"
	LackRebuildEpoch   Lack = "a rebuild does not ask for its epoch and attempt"
	LackSealEpoch      Lack = "a seal does not ask for its epoch"
	LackOpenAnswer     Lack = "open answers true whatever it finds"
	LackOpenDecrease   Lack = "open does not ask for an owed decrease"
	LackIssueState     Lack = "an issue does not ask for an open epoch"
	LackIssueNumber    Lack = "issue numbers restart with the epoch"
	LackOp             Lack = "an adjustment is not known again"
)

// What may be lacking of settling and returning.
const (
	LackKnown        Lack = "a known id moves its units again"
	LackDoubled      Lack = "an id that is another reservation's is taken for a repetition"
	LackKey          Lack = "a key does not find the claim that has it"
	LackLimit        Lack = "a claim does not sum what its user holds"
	LackCeiling      Lack = "a raised limit does not raise the ceiling"
	LackHigh         Lack = "a message does not raise high"
	LackAccounted    Lack = "a known id is accounted again"
	LackRepeated     Lack = "a known id is an error, and tried again without end"
	LackReturned     Lack = "a known id is held again after its units went back"
	LackRejectClaim  Lack = "a rejection is not written"
	LackRejectUnits  Lack = "a rejection moves no units"
	LackRejectOwed   Lack = "a rejection owes no entry"
	LackRejectMin    Lack = "a rejection takes units that are not there"
	LackRejectRest   Lack = "a rejection gives away what others of its epoch may need"
	LackStraggler    Lack = "a claim of a sealed epoch owes no entry"
	LackReturnHeld   Lack = "a return does not ask whether the claim is held"
	LackReturnOwed   Lack = "a return owes no entry"
	LackMarkHighest  Lack = "a mark is what came last, not the highest"
	LackMarkForgets  Lack = "a heartbeat forgets the marks before it"
	LackPlaceSame    Lack = "an order whose id is another's is skipped"
	LackPlaceOrdered Lack = "claims are ordered though nothing was placed with them"
)

// What may be lacking of payments and of what the shop is told.
const (
	LackCancelState   Lack = "a cancellation does not ask for the state"
	LackCancelReturn  Lack = "a cancellation owes no return"
	LackOverdueState  Lack = "a timeout does not ask for the state again"
	LackChargeOnce    Lack = "a charge is not known again"
	LackChargeState   Lack = "a charge does not ask what the order has become"
	LackChargeAmount  Lack = "a charge does not ask for the amount"
	LackChargeTime    Lack = "a charge does not ask for the deadline"
	LackChargeRefund  Lack = "a charge that must go back owes no refund"
	LackRefundState   Lack = "a refund does not ask for the state"
	LackRefundOnce    Lack = "a refund that is done is done again"
	LackRefundRestock Lack = "a refund returns the units of every order"
	LackEventOrder    Lack = "a subject's later event is told with the earlier one"
	LackEventLease    Lack = "a dispatch is leased to whoever asks"
	LackEventLeft     Lack = "an event goes with the first that was told of it"
)

// Lacks are all there are.
func Lacks() []Lack {
	return []Lack{
		LackDoubt, LackDoubtTime, LackCheck, LackRebuildVersion, LackRebuildEpoch, LackSealEpoch, LackOpenAnswer,
		LackOpenDecrease, LackIssueState, LackIssueNumber, LackOp,
		LackKnown, LackDoubled, LackKey, LackLimit, LackCeiling, LackHigh, LackAccounted, LackRepeated, LackReturned,
		LackRejectClaim, LackRejectUnits, LackRejectOwed, LackRejectMin, LackRejectRest, LackStraggler, LackReturnHeld,
		LackReturnOwed, LackMarkHighest, LackMarkForgets, LackPlaceSame, LackPlaceOrdered,
		LackCancelState, LackCancelReturn, LackOverdueState, LackChargeOnce, LackChargeState, LackChargeAmount, LackChargeTime,
		LackChargeRefund, LackRefundState, LackRefundOnce, LackRefundRestock, LackEventOrder, LackEventLease, LackEventLeft,
	}
}

// lacks says whether this is one of them.
func (db *database) lacks(lack Lack) bool { return db.ledger.lack == lack }

// misjudge is a charge as it is judged by who lacks something.
func (db *database) misjudge(locked lockedOrder, charge seckill.Charge) (lockedOrder, seckill.Charge) {
	if db.lacks(LackChargeAmount) {
		charge.AmountMinor = locked.AmountMinor()
	}
	if db.lacks(LackChargeTime) {
		locked.PayBy = locked.now.Add(time.Millisecond)
	}
	if db.lacks(LackChargeState) {
		locked.State = seckill.OrderUnpaid
	}
	return locked, charge
}
