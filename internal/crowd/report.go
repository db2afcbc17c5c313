package crowd

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/seckill-dev/seckill/api"
)

// Report is what a crowd saw. Asked = Queued + Replayed + SoldOut + LimitReached + Refused + Unanswered.
type Report struct {
	Sale     string
	Item     string
	Shoppers int

	// Queued counts reservations, Replayed answers that named one again. Refused are all other refusals.
	Asked, Queued, Replayed, SoldOut, LimitReached, Refused, Unanswered int64
	// Ordered and Rejected are what became of the queued ones.
	Ordered, Rejected int64
	// Orders and Units are what the crowd has in the end; Compared is how many shoppers' orders were read.
	Orders, Units int64
	Compared      int64

	// Mix says whether anybody did more than look. Paid and Cancelled are orders, BoughtAgain those bought after a cancel;
	// ReturnedUnits came back, and Resale is how soon they were bought again.
	Mix                                         bool
	Paid, Cancelled, BoughtAgain, ReturnedUnits int64
	Resale                                      Resale
	// Stock is the item's row in the end, nil without an operators' address; Money is nil without a provider's ledger.
	Stock *api.ItemStats
	Money *Money

	// Requests were sent; Waits are answers after which a shopper waited, Lost the requests without an answer, Outages how
	// often the server could not be reached.
	Requests, Waits, Lost, Outages int64
	Took                           time.Duration

	// Audit is nil when there was none.
	Audit *api.AuditReport
	// Problems are the first that were found, Counts all of them by kind.
	Problems []Problem
	Counts   map[ProblemKind]int64

	// amount writes the item's currency.
	amount func(minor int64) string
}

func (c *crowd) report() Report {
	t := c.tally
	kept, counts := c.problems.list()
	c.mu.Lock()
	defer c.mu.Unlock()
	r := Report{
		Sale: c.sale.ID, Item: c.item.ID, Shoppers: len(c.shoppers),
		Asked: t.asked.Load(), Queued: t.queued.Load(), Replayed: t.replayed.Load(), SoldOut: t.soldOut.Load(),
		LimitReached: t.limitReached.Load(), Refused: t.refused.Load(), Unanswered: t.unanswered.Load(),
		Ordered: t.ordered.Load(), Rejected: t.rejected.Load(), Orders: c.orders, Units: c.units, Compared: t.compared.Load(),
		Requests: t.requests.Load(), Waits: t.busy.Load(), Lost: t.lost.Load(), Outages: t.outages.Load(),
		Mix: c.config.Mix.on(), Paid: t.paid.Load(), Cancelled: t.cancelled.Load(), BoughtAgain: t.again.Load(),
		ReturnedUnits: c.resale.total(), Resale: c.resale.measure(c.stock), Stock: c.stock,
		Took: time.Since(t.begun), Audit: c.audit, Problems: kept, Counts: counts,
		amount: func(minor int64) string { return c.config.Amount(minor, c.item.Currency) },
	}
	if c.config.LedgerURL != "" {
		r.Money = &c.money
	}
	return r
}

// Verdict is nil when everything adds up.
func (r Report) Verdict() error {
	var total int64
	for _, count := range r.Counts {
		total += count
	}
	if total == 0 {
		return nil
	}
	return fmt.Errorf("%s problems: %s", grouped(total), summary(r.Counts))
}

// shownMax is how many problems of a kind are printed.
const shownMax = 10

// print writes the table, the problems, and the verdict in one line.
func (r Report) print(out io.Writer) {
	fmt.Fprintln(out)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, row := range r.rows() {
		fmt.Fprintf(table, "%s\t%s\t\n", row.name, grouped(row.count))
	}
	_ = table.Flush() // what cannot be shown is in the report
	r.printAfter(out)
	fmt.Fprintf(out, "\n%s requests in %s; %s waits, %s answers lost, %s outages\n", grouped(r.Requests),
		r.Took.Round(100*time.Millisecond), grouped(r.Waits), grouped(r.Lost), grouped(r.Outages))
	shown := FirstOfEach(r.Problems, shownMax, func(p Problem) string { return string(p.Kind) })
	for _, problem := range shown {
		fmt.Fprintln(out, "  "+problem.String())
	}
	if len(shown) < len(r.Problems) {
		fmt.Fprintln(out, "  ...")
	}
	fmt.Fprintln(out, r.line())
}

type row struct {
	name  string
	count int64
}

func (r Report) rows() []row {
	rows := []row{
		{"asked", r.Asked},
		{"queued", r.Queued},
		{"queued again (same key)", r.Replayed},
		{"sold out", r.SoldOut},
		{"limit reached", r.LimitReached},
		{"other refusals", r.Refused},
		{"errors", r.Unanswered},
		{"of the queued: ordered", r.Ordered},
		{"of the queued: rejected", r.Rejected},
		{"orders", r.Orders},
		{"units", r.Units},
	}
	if !r.Mix {
		return rows
	}
	rows = append(rows, row{"orders paid", r.Paid}, row{"orders cancelled", r.Cancelled},
		row{"bought again after a cancel", r.BoughtAgain}, row{"units that came back", r.ReturnedUnits})
	if r.Stock != nil {
		rows = append(rows, row{"units allotted", r.Stock.Allotted}, row{"units paid", r.Stock.Paid})
	}
	if r.Money != nil {
		rows = append(rows, row{"charges", r.Money.Charges}, row{"refunds", r.Money.Refunds})
	}
	return rows
}

// printAfter says how soon units were for sale again, and what the money adds up to.
func (r Report) printAfter(out io.Writer) {
	if s := r.Resale; s.Units+s.Unseen > 0 {
		fmt.Fprintf(out, "\nfrom a cancel to the purchase of what came back: %s units, p50 %s, p99 %s, at most %s; %s not bought again\n",
			grouped(s.Units), s.P50.Round(time.Millisecond), s.P99.Round(time.Millisecond), s.Max.Round(time.Millisecond), grouped(s.Unseen))
	}
	if m := r.Money; m != nil {
		fmt.Fprintf(out, "the provider took %s and gave back %s; %s charges are other people's\n",
			r.amount(m.ChargedMinor), r.amount(m.ReturnedMinor), grouped(m.Others))
	}
}

// line is the verdict.
func (r Report) line() string {
	if err := r.Verdict(); err != nil {
		return "It does NOT add up: " + err.Error() + "."
	}
	audit := "nothing was audited"
	if r.Audit != nil {
		audit = fmt.Sprintf("the audit of %s claims and %s orders finds nothing",
			grouped(r.Audit.Checked.Claims), grouped(r.Audit.Checked.Orders))
	}
	return fmt.Sprintf("Everything adds up: %s asked, %s queued, %s orders for %s units; nobody is over the limit; %s.",
		grouped(r.Asked), grouped(r.Queued), grouped(r.Orders), grouped(r.Units), audit)
}
