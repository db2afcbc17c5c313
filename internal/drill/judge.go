package drill

import (
	"maps"
	"slices"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Counts are what the ledger and the books add up to. Promised = Ordered + Twins + Rejected + Pending + what findings
// are about.
type Counts struct {
	// Answers promised something, Promised are the reservations in them.
	Answers, Promised int64
	// Ordered became orders. Twins were second reservations for one key, which stand for the first one; Rejected were refused
	// where that is allowed; Pending had neither claim nor order yet, where nobody waited for them.
	Ordered, Twins, Rejected, Pending int64
	// Claims and Orders are all there are, Untold the orders whose promise was lost on its way.
	Claims, Orders, Untold int64
	Paid, Charges, Refunds int64
}

// judge holds the promises against the books.
type judge struct {
	books    *books
	pairs    bool // two faults at a time may refuse somebody
	hurried  bool // what is not there may still come
	counts   Counts
	findings []Finding
}

// promises judges every reservation that somebody was told of.
func (j *judge) promises(p promises) {
	j.counts.Answers, j.counts.Promised = p.answers, int64(len(p.all))
	j.counts.Claims, j.counts.Orders = int64(len(j.books.claims)), int64(len(j.books.orders))
	holders := make(map[string]promise)
	for _, id := range slices.Sorted(maps.Keys(p.all)) {
		made := p.all[id]
		if holds := j.promise(made); !holds || made.key == "" {
			continue
		}
		if other, twice := holders[made.user+" "+made.key]; twice {
			j.add(doubled, made, "the same key holds %s, too", other.reservation)
		}
		holders[made.user+" "+made.key] = made
	}
	for id, order := range j.books.orders {
		if _, told := p.all[id.String()]; !told {
			j.counts.Untold++
		}
		if order.State == seckill.OrderPaid {
			j.counts.Paid++
		}
	}
}

// promise judges one, and says whether it became an order.
func (j *judge) promise(made promise) (holds bool) {
	id, err := seckill.ParseID(made.reservation)
	if err != nil {
		j.add(lost, made, "that is no reservation")
		return false
	}
	claim, found := j.books.claims[id]
	switch {
	case !found:
		j.missing(made, "promised at %s, and there is no claim", made.at.Format(time.TimeOnly))
	case string(claim.User) != made.user || claim.Quantity != made.quantity:
		j.add(differs, made, "promised %d to %s, claimed %d for %s", made.quantity, made.user, claim.Quantity, claim.User)
	case claim.State == seckill.ClaimRejected:
		j.rejected(made, claim)
	default:
		return j.ordered(made, id)
	}
	return false
}

func (j *judge) rejected(made promise, claim seckill.Claim) {
	first, found := j.books.claims[claim.First]
	switch {
	case claim.Reason == seckill.Duplicate && found && first.State != seckill.ClaimRejected:
		j.counts.Twins++
	case j.pairs:
		j.counts.Rejected++
	default:
		j.add(refusedAfter, made, "promised at %s, and rejected: %s", made.at.Format(time.TimeOnly), claim.Reason)
	}
}

func (j *judge) ordered(made promise, id seckill.ID) bool {
	order, found := j.books.orders[id]
	switch {
	case !found:
		j.missing(made, "promised at %s and claimed, and there is no order", made.at.Format(time.TimeOnly))
	case string(order.User) != made.user || order.Quantity != made.quantity || order.Misplaced:
		j.add(differs, made, "promised %d to %s, ordered %d for %s in %s", made.quantity, made.user, order.Quantity, order.User, order.Table)
	default:
		j.counts.Ordered++
		return true
	}
	return false
}

// missing is lost, unless it may still be under way.
func (j *judge) missing(made promise, format string, args ...any) {
	if j.hurried {
		j.counts.Pending++
		return
	}
	j.add(lost, made, format, args...)
}

func (j *judge) add(kind string, made promise, format string, args ...any) {
	j.findings = append(j.findings, findingf(kind, made.user, made.reservation, format, args...))
}

// money holds the provider's ledger against ours: the same charges, the same refunds, and each paid order paid once.
func (j *judge) money(t *till) {
	standing := make(map[seckill.ID][]*charge)
	for _, txn := range slices.Sorted(maps.Keys(t.charges)) {
		taken := t.charges[txn]
		ours, known := j.books.charges[txn]
		j.counts.Charges++
		j.counts.Refunds += int64(len(taken.refunds))
		if !known || ours.Payment.String() != taken.Reference {
			j.wrong(taken.Reference, "the provider has charge %s, we have not", txn)
			continue
		}
		j.charge(taken, ours)
		if len(taken.refunds) == 0 {
			standing[ours.Order] = append(standing[ours.Order], taken)
		}
	}
	for _, txn := range slices.Sorted(maps.Keys(j.books.charges)) {
		if _, known := t.charges[txn]; !known {
			j.wrong(j.books.charges[txn].Order.String(), "we have charge %s, the provider has not", txn)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(j.books.orders)) {
		j.settled(j.books.orders[id].Order, standing[id])
	}
}

// charge holds one charge against our row of it.
func (j *judge) charge(taken *charge, ours seckill.Charge) {
	refund, owed := j.books.refunds[taken.Txn]
	switch order := ours.Order.String(); {
	case ours.AmountMinor != taken.AmountMinor || ours.Currency != taken.Currency:
		j.wrong(order, "charge %s is of %d %s, we have %d %s", taken.Txn, taken.AmountMinor, taken.Currency, ours.AmountMinor, ours.Currency)
	case len(taken.refunds) > 1:
		j.wrong(order, "charge %s went back %d times", taken.Txn, len(taken.refunds))
	case len(taken.refunds) == 1 && (!owed || refund.State != seckill.RefundDone || taken.refunds[0].AmountMinor != taken.AmountMinor):
		j.wrong(order, "charge %s went back with %d, we have a refund that is %q", taken.Txn, taken.refunds[0].AmountMinor, refund.State)
	case len(taken.refunds) == 0 && owed:
		j.wrong(order, "charge %s did not go back, we have a refund that is %q", taken.Txn, refund.State)
	}
}

// settled holds one order against the charges of it that stand.
func (j *judge) settled(order seckill.Order, standing []*charge) {
	paid := order.State == seckill.OrderPaid
	switch {
	case paid && len(standing) != 1:
		j.wrong(order.ID.String(), "the order is paid, and %d charges stand", len(standing))
	case paid && standing[0].AmountMinor != order.AmountMinor():
		j.wrong(order.ID.String(), "the order costs %d, paid were %d", order.AmountMinor(), standing[0].AmountMinor)
	case !paid && len(standing) > 0:
		j.wrong(order.ID.String(), "the order is %s, and charge %s stands", order.State, standing[0].Txn)
	}
}

func (j *judge) wrong(order, format string, args ...any) {
	j.findings = append(j.findings, findingf(money, "", order, format, args...))
}
