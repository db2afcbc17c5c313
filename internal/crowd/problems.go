package crowd

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// ProblemKind names a way in which something does not add up.
type ProblemKind string

// The kinds of problems.
const (
	LostOrder        ProblemKind = "lost_order"          // queued, and no order
	DoubledOrder     ProblemKind = "doubled_order"       // two orders for one reservation or one key
	UnaskedOrder     ProblemKind = "unasked_order"       // an order that no answer explains
	OrderDiffers     ProblemKind = "order_differs"       // another quantity or amount
	RejectedOrdered  ProblemKind = "rejected_ordered"    // rejected, and an order all the same
	Rejected         ProblemKind = "rejected"            // rejected after queued, where no fault was played
	OtherReservation ProblemKind = "other_reservation"   // one key, two reservations
	RefusedThough    ProblemKind = "refused_though_held" // a key that holds a reservation was refused
	FalseSoldOut     ProblemKind = "false_sold_out"      // sold_out with enough left
	OverLimit        ProblemKind = "over_limit"
	Oversold         ProblemKind = "oversold"
	Unexpected       ProblemKind = "unexpected_refusal"  // a refusal that a correct client never hears
	UnknownHeld      ProblemKind = "unknown_reservation" // queued, and 404 when looked up
	Undecided        ProblemKind = "undecided"           // queued, and for ever
	Unanswered       ProblemKind = "unanswered"          // no definite answer to a purchase
	Uncompared       ProblemKind = "uncompared"          // a shopper's orders could not be read
	Unserved         ProblemKind = "unserved"            // nobody heard a definite answer: nothing is proven
	TurnedBack       ProblemKind = "turned_back"         // an order whose status cannot follow the one before
	Overdue          ProblemKind = "overdue"             // unpaid long after its deadline
	CancelledEarly   ProblemKind = "cancelled_early"     // cancelled before its deadline, by nobody who asked
	NotCancelled     ProblemKind = "not_cancelled"       // a cancel in time that was refused
	PaidUnasked      ProblemKind = "paid_unasked"        // paid by nobody
	PaidLate         ProblemKind = "paid_late"           // paid with money that came after the deadline
	Unpayable        ProblemKind = "unpayable"           // an unpaid order that no payment can be begun for
	LockedOut        ProblemKind = "locked_out"          // limit_reached for whoever holds nothing
	Unsold           ProblemKind = "unsold"              // units that are not paid in the end
	NoCharge         ProblemKind = "no_charge"           // paid, without the provider having money for it
	ChargedTwice     ProblemKind = "charged_twice"       // paid, with two charges that stand
	WrongCharge      ProblemKind = "wrong_charge"        // paid, with another amount
	ChargeKept       ProblemKind = "charge_kept"         // not paid, with a charge that stands
	RefundedTwice    ProblemKind = "refunded_twice"
	RefundDiffers    ProblemKind = "refund_differs"
	LedgerDiffers    ProblemKind = "ledger_differs" // the sums of the provider are not ours
	AuditFinding     ProblemKind = "audit"
	Stalled          ProblemKind = "stalled"
)

// Problem is one thing that does not add up.
type Problem struct {
	Kind        ProblemKind
	User        string
	Reservation string
	Detail      string
}

func (p Problem) String() string {
	text := string(p.Kind)
	if p.User != "" {
		text += " " + p.User
	}
	if p.Reservation != "" {
		text += " " + p.Reservation
	}
	return text + ": " + p.Detail
}

// problemsMax bounds how many of a kind are kept; all are counted.
const problemsMax = 50

type problems struct {
	mu     sync.Mutex
	kept   []Problem
	counts map[ProblemKind]int64
}

func newProblems() *problems { return &problems{counts: make(map[ProblemKind]int64)} }

func (p *problems) add(problem Problem) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.counts[problem.Kind]++; p.counts[problem.Kind] <= problemsMax {
		p.kept = append(p.kept, problem)
	}
}

// list returns what was kept and all counts.
func (p *problems) list() ([]Problem, map[ProblemKind]int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.kept), maps.Clone(p.counts)
}

// FirstOfEach returns the first few of each kind: many of one must not hide the only one of another.
func FirstOfEach[T any](all []T, most int, kind func(T) string) (first []T) {
	counts := make(map[string]int)
	for _, one := range all {
		if counts[kind(one)]++; counts[kind(one)] <= most {
			first = append(first, one)
		}
	}
	return first
}

// summary is "3 lost_order, 1 oversold".
func summary(counts map[ProblemKind]int64) string {
	var parts []string
	for _, kind := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%s %s", grouped(counts[kind]), kind))
	}
	return strings.Join(parts, ", ")
}
