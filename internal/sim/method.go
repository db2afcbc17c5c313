package sim

import (
	"errors"
	"fmt"
	"strings"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// store is what a call goes to.
type store int

const (
	redisStore store = iota
	sqlStore
	queueStore
	bankStore
	shopStore
)

// method names a port's method, and the port.
type method string

// The methods.
const (
	lentReserve    method = "lent.Reserve"
	lentLook       method = "lent.Look"
	lentSent       method = "lent.Sent"
	lentSettled    method = "lent.Settled"
	lentDue        method = "lent.Due"
	lentOutbox     method = "lent.Outbox"
	lentLoadBuyers method = "lent.LoadBuyers"
	lentLoad       method = "lent.Load"
	lentOpen       method = "lent.Open"
	lentRenew      method = "lent.Renew"
	lentRenewAll   method = "lent.RenewAll"
	lentIssue      method = "lent.Issue"
	lentSetBuyer   method = "lent.SetBuyer"
	lentStates     method = "lent.States"
	lentServer     method = "lent.Server"
	lentExpire     method = "lent.Expire"
	lentAnnounce   method = "lent.Announce"

	catalogCreate  method = "catalog.Create"
	catalogUpdate  method = "catalog.Update"
	catalogChange  method = "catalog.Change"
	catalogAdvance method = "catalog.Advance"
	catalogSale    method = "catalog.Sale"
	catalogItem    method = "catalog.Item"
	catalogRunning method = "catalog.Running"
	catalogLog     method = "catalog.Log"
	catalogNow     method = "catalog.Now"

	stocksCreate       method = "stocks.Create"
	stocksGet          method = "stocks.Get"
	stocksList         method = "stocks.List"
	stocksSeal         method = "stocks.Seal"
	stocksRaiseHigh    method = "stocks.RaiseHigh"
	stocksRebuild      method = "stocks.Rebuild"
	stocksProgress     method = "stocks.Progress"
	stocksOpen         method = "stocks.Open"
	stocksIssue        method = "stocks.Issue"
	stocksMoves        method = "stocks.Moves"
	stocksReleaseDoubt method = "stocks.ReleaseDoubt"
	stocksRaiseCeiling method = "stocks.RaiseCeiling"
	stocksHalt         method = "stocks.Halt"
	stocksAdjust       method = "stocks.Adjust"
	stocksReturn       method = "stocks.Return"
	stocksLentAgain    method = "stocks.LentAgain"

	claimsSettle      method = "claims.Settle"
	claimsReject      method = "claims.Reject"
	claimsMarkOrdered method = "claims.MarkOrdered"
	claimsUnordered   method = "claims.Unordered"
	claimsFind        method = "claims.Find"
	claimsFindKeys    method = "claims.FindKeys"
	claimsOfUser      method = "claims.OfUser"
	claimsBuyers      method = "claims.Buyers"

	ordersPlace method = "orders.Place"
	ordersFind  method = "orders.Find"

	marksNow        method = "marks.Now"
	marksBeat       method = "marks.Beat"
	marksHeartbeats method = "marks.Heartbeats"
	marksHighest    method = "marks.Highest"

	owingOwed method = "owing.Owed"
	owingDone method = "owing.Done"

	paymentsCancel        method = "payments.Cancel"
	paymentsCancelOverdue method = "payments.CancelOverdue"
	paymentsBegin         method = "payments.Begin"
	paymentsOpened        method = "payments.Opened"
	paymentsClosed        method = "payments.Closed"
	paymentsRead          method = "payments.Read"
	paymentsRecord        method = "payments.Record"
	paymentsRefund        method = "payments.Refund"
	paymentsRefundsDue    method = "payments.RefundsDue"
	paymentsRefundsOwed   method = "payments.RefundsOwed"
	paymentsRefundFailed  method = "payments.RefundFailed"
	paymentsRefunded      method = "payments.Refunded"

	eventsSpread method = "events.Spread"
	eventsDue    method = "events.Due"
	eventsRenew  method = "events.Renew"
	eventsTold   method = "events.Told"
	eventsFailed method = "events.Failed"
	eventsRetire method = "events.Retire"

	booksRead method = "books.Read"

	queuePublish    method = "queue.Publish"
	queueSubscribe  method = "queue.Subscribe"
	queueAck        method = "queue.Ack"
	queueDeadLetter method = "queue.DeadLetter"
	queueLook       method = "queue.Look"

	bankOpen   method = "bank.Open"
	bankClose  method = "bank.Close"
	bankRefund method = "bank.Refund"

	shopTell method = "shop.Tell"

	between method = "between"
)

// changing are those that change something: what is worth a crash.
func changing() []method {
	return []method{
		lentReserve, lentSent, lentSettled, lentDue, lentLoadBuyers, lentLoad, lentOpen, lentRenew, lentRenewAll,
		lentIssue, lentSetBuyer, lentExpire, catalogUpdate, catalogChange, catalogAdvance, stocksCreate, stocksSeal,
		stocksRaiseHigh, stocksRebuild, stocksProgress, stocksOpen, stocksIssue, stocksReleaseDoubt, stocksRaiseCeiling,
		stocksHalt, stocksAdjust, stocksReturn, claimsSettle, claimsReject, claimsMarkOrdered, ordersPlace, marksBeat,
		owingDone, paymentsCancel, paymentsCancelOverdue, paymentsBegin, paymentsOpened, paymentsClosed, paymentsRecord,
		paymentsRefund, paymentsRefundFailed, paymentsRefunded, eventsSpread, eventsDue, eventsRenew, eventsTold,
		eventsFailed, eventsRetire, queuePublish, queueSubscribe, queueAck, queueDeadLetter, bankOpen, bankClose,
		bankRefund, shopTell,
	}
}

// store is what the method asks.
func (m method) store() store {
	switch {
	case m.of("lent."):
		return redisStore
	case m.of("queue."):
		return queueStore
	case m.of("bank."):
		return bankStore
	case m.of("shop."), m == between:
		return shopStore
	default:
		return sqlStore
	}
}

func (m method) of(port string) bool { return strings.HasPrefix(string(m), port) }

// safe says that SQL calls a lost answer transient, because the call does no more when repeated.
func (m method) safe() bool {
	switch m {
	case claimsSettle, claimsReject, stocksReturn, stocksAdjust, ordersPlace, claimsMarkOrdered, marksBeat, owingDone,
		eventsSpread, eventsTold, eventsRenew, eventsRetire:
		return true
	default:
		return m.of("payments.")
	}
}

var errCut = errors.New("the connection is lost")

// refusedError is that of a call that certainly did nothing.
func (m method) refusedError() error {
	switch m.store() {
	case sqlStore:
		return fmt.Errorf("%s: %w: %w", m, seckill.ErrTransient, seckill.ErrUnavailable)
	default:
		return fmt.Errorf("%s: %w", m, seckill.ErrUnavailable)
	}
}

// lostError is that of a call of which nobody knows what it did.
func (m method) lostError(cause error) error {
	if m.safe() {
		return fmt.Errorf("%w: %w", seckill.ErrTransient, cause)
	}
	return cause
}
