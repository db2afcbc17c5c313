package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/seckill-dev/seckill/api"
	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	problemType      = "urn:seckill:problem:"
	problemMediaType = "application/problem+json"

	// retryAfterDefault is said when waiting helps and the use case has no better idea; retryAfterMax is the contract's.
	retryAfterDefault = time.Second
	retryAfterMax     = time.Hour
)

// answer is how a reason reads in HTTP.
type answer struct {
	status int
	title  string
	// spread says that many hear this at once and must not all come back at once.
	spread bool
}

// answerTo is the only map from reasons to statuses.
func answerTo(reason seckill.Reason) (answer, bool) {
	switch reason {
	case seckill.NotFound:
		return answer{status: http.StatusNotFound, title: "There is no such thing"}, true
	case seckill.Invalid:
		return answer{status: http.StatusBadRequest, title: "The request is invalid"}, true
	case seckill.Unauthenticated:
		return answer{status: http.StatusUnauthorized, title: "Authentication is needed"}, true
	case seckill.Forbidden:
		return answer{status: http.StatusForbidden, title: "This is not allowed"}, true
	case seckill.NotStarted:
		return answer{status: http.StatusConflict, title: "The sale has not started"}, true
	case seckill.Ended:
		return answer{status: http.StatusConflict, title: "The sale is over"}, true
	case seckill.Paused:
		return answer{status: http.StatusConflict, title: "The sale is paused"}, true
	case seckill.SoldOut:
		return answer{status: http.StatusConflict, title: "Fewer are left than asked"}, true
	case seckill.LimitReached:
		return answer{status: http.StatusConflict, title: "The limit per shopper is reached"}, true
	case seckill.Conflict:
		return answer{status: http.StatusConflict, title: "Not in this state"}, true
	case seckill.IdempotencyMismatch:
		return answer{status: http.StatusUnprocessableEntity, title: "The key was used for something else"}, true
	case seckill.RateLimited:
		return answer{status: http.StatusTooManyRequests, title: "Too many requests", spread: true}, true
	case seckill.Busy:
		return answer{status: http.StatusServiceUnavailable, title: "Not now", spread: true}, true
	case seckill.UnknownOutcome:
		return answer{status: http.StatusServiceUnavailable, title: "The outcome is unknown", spread: true}, true
	default:
		return answer{}, false
	}
}

// unreadable is a refusal that HTTP has a status of its own for: the body is too large, or not JSON, or the method is not
// there.
type unreadable struct {
	*seckill.Refusal
	status int
}

func (u *unreadable) Unwrap() error { return u.Refusal }

func tooLarge(bytesMax int64) error {
	return &unreadable{
		Refusal: seckill.InvalidField("body", fmt.Sprintf("the body is larger than %d bytes", bytesMax)),
		status:  http.StatusRequestEntityTooLarge,
	}
}

func wrongContentType() error {
	return &unreadable{
		Refusal: seckill.InvalidField("Content-Type", "send application/json"),
		status:  http.StatusUnsupportedMediaType,
	}
}

func wrongMethod(method string) error {
	return &unreadable{
		Refusal: seckill.Refuse(seckill.NotFound, "this path has no "+method),
		status:  http.StatusMethodNotAllowed,
	}
}

// asRefusal says what a client may know of an error. fault is true when nobody expected it.
func asRefusal(err error) (refusal *seckill.Refusal, fault bool) {
	if expected, ok := err.(*seckill.Refusal); ok { //nolint:errorlint // the usual case, told cheaply; the others follow
		return expected, false
	}
	var bought bought
	switch {
	case errors.As(err, &refusal):
		return refusal, false
	case errors.As(err, &bought):
		return &seckill.Refusal{
			Reason: seckill.UnknownOutcome, Detail: "the outcome is not known; retry with the same key, or look at your reservations",
		}, true
	case errors.Is(err, seckill.ErrNotFound):
		return seckill.Refuse(seckill.NotFound, "there is no such thing"), false
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return seckill.BusyFor(retryAfterDefault, "this took too long"), false
	case errors.Is(err, seckill.ErrUnavailable), errors.Is(err, seckill.ErrTransient), errors.Is(err, seckill.ErrNotLive):
		return seckill.BusyFor(retryAfterDefault, "a part of the system is not available"), false
	default:
		return seckill.BusyFor(retryAfterDefault, "something failed; the request id names it in the logs"), true
	}
}

// refuse answers with a problem document.
func (e *edge) refuse(ctx context.Context, c *gin.Context, route string, err error) {
	refusal, fault := asRefusal(err)
	how, known := answerTo(refusal.Reason)
	if !known {
		refusal, fault = seckill.BusyFor(retryAfterDefault, "something failed; the request id names it in the logs"), true
		how, _ = answerTo(refusal.Reason)
	}
	var special *unreadable
	if err != error(refusal) && errors.As(err, &special) { //nolint:errorlint // itself, or something around it
		how.status = special.status
	}
	e.noteRefusal(ctx, c, route, refusal, how.status, fault, err)
	if c.Writer.Written() {
		return // half an answer is out: the broken body is all that can still be said
	}
	document := e.problem(refusal, how, requestID(c))
	header := c.Writer.Header()
	if document.RetryAfter > 0 {
		header.Set("Retry-After", fmt.Sprint(document.RetryAfter))
	}
	if refusal.Order != nil {
		tag(c, *refusal.Order)
	}
	if refusal.Reason == seckill.Unauthenticated {
		header.Set("WWW-Authenticate", "Bearer")
	}
	e.write(c, how.status, problemMediaType, appendProblem(make([]byte, 0, hotAnswerBytes), document))
}

func (e *edge) problem(refusal *seckill.Refusal, how answer, id string) api.Problem {
	document := api.Problem{
		Type: problemType + string(refusal.Reason), Title: how.title, Status: how.status,
		Reason: api.Reason(refusal.Reason), Detail: refusal.Detail, Field: refusal.Field,
		RetryAfter: e.retryAfter(refusal.RetryAfter, how.spread), RequestID: id,
	}
	if document.Detail == "" {
		document.Detail = how.title
	}
	switch refusal.Reason {
	case seckill.SoldOut:
		document.Available = &refusal.Available
	case seckill.LimitReached:
		document.Reservations = wireHeld(refusal.Held)
	case seckill.UnknownOutcome:
		if refusal.Reservation > 0 {
			document.ReservationID = refusal.Reservation.String()
			document.Links.Self = reservationPath(refusal.Item.String(), document.ReservationID)
		}
	case seckill.Conflict:
		document.Sale, document.Largest = standing(refusal.Sale), refusal.Largest
		if refusal.Order != nil {
			order := wireOrder(*refusal.Order)
			document.Order = &order
		}
	default:
	}
	return document
}

// standing is the sale as it is, for whoever took it for another one.
func standing(sale *seckill.Sale) api.SaleStanding {
	if sale == nil {
		return api.SaleStanding{}
	}
	return api.SaleStanding{
		ID: sale.ID.String(), State: api.SaleState(sale.State), Version: sale.Version,
		StartsAt: sale.StartsAt.UTC(), EndsAt: sale.EndsAt.UTC(),
	}
}

// retryAfter is in whole seconds, rounded up. What is spread gets up to as much again, by chance, on top.
func (e *edge) retryAfter(wait time.Duration, spread bool) int {
	if spread {
		if wait <= 0 {
			wait = retryAfterDefault
		}
		wait += time.Duration(e.random() * float64(wait))
	}
	wait = min(wait, retryAfterMax)
	return int((wait + time.Second - 1) / time.Second)
}
