package crowd

import (
	"errors"
	"net/http"
	"time"

	"github.com/seckill-dev/seckill/api"
)

// answerKind is what an answer to a purchase means to the shopper.
type answerKind string

const (
	accepted answerKind = "queued"
	declined answerKind = "rejected" // a replay of a reservation that was decided against
	refused  answerKind = "refused"
	unknown  answerKind = "unknown_outcome"
	lost     answerKind = "lost"
	unsent   answerKind = "unsent"
)

// answer is one reply to a purchase.
type answer struct {
	kind       answerKind
	id         string
	quantity   int64
	reason     api.Reason
	available  *int64
	replayed   bool
	retryAfter time.Duration
	detail     string
}

// readAnswer makes an answer of what came back. Whatever the contract does not know may have been a success.
func readAnswer(r reply, err error) answer {
	switch {
	case errors.Is(err, errUnsent):
		return answer{kind: unsent, detail: err.Error()}
	case err != nil:
		return answer{kind: lost, detail: err.Error()}
	case r.status == http.StatusAccepted:
		return readReceipt(r)
	case r.status < http.StatusBadRequest:
		return answer{kind: lost, detail: http.StatusText(r.status) + " is no answer to a purchase"}
	}
	a := answer{kind: refused, reason: r.problem.Reason, available: r.problem.Available, retryAfter: r.retryAfter, detail: r.problem.Detail}
	if r.problem.Reason == api.ReasonUnknownOutcome {
		a.kind, a.id = unknown, r.problem.ReservationID
	}
	return a
}

func readReceipt(r reply) answer {
	var receipt api.Receipt
	if err := r.into(&receipt); err != nil || receipt.ID == "" {
		return answer{kind: lost, detail: "202 without a receipt"}
	}
	return told(receipt.ID, receipt.Quantity, receipt.Status, receipt.Reason, r.replayed)
}

// told is an answer that names a reservation.
func told(id string, quantity int64, status api.ReservationStatus, reason api.Reason, replayed bool) answer {
	a := answer{kind: accepted, id: id, quantity: quantity, replayed: replayed}
	if status == api.ReservationStatusRejected {
		a.kind, a.reason = declined, reason
	}
	return a
}

// passing says that waiting helps: the shopper asks again.
func (a answer) passing() bool {
	switch a.kind {
	case unknown, lost, unsent:
		return true
	case refused:
		return a.reason == api.ReasonBusy || a.reason == api.ReasonRateLimited ||
			a.reason == api.ReasonNotStarted || a.reason == api.ReasonPaused
	default:
		return false
	}
}

// expected are refusals that a correct client may hear.
func (a answer) expected() bool {
	return a.passing() || a.reason == api.ReasonSoldOut || a.reason == api.ReasonLimitReached || a.reason == api.ReasonEnded
}
