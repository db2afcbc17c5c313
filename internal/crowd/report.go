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

	// Requests were sent; Waits are answers after which a shopper waited, Lost the requests without an answer, Outages how
	// often the server could not be reached.
	Requests, Waits, Lost, Outages int64
	Took                           time.Duration

	// Audit is nil when there was none.
	Audit *api.AuditReport
	// Problems are the first that were found, Counts all of them by kind.
	Problems []Problem
	Counts   map[ProblemKind]int64
}

func (c *crowd) report() Report {
	t := c.tally
	kept, counts := c.problems.list()
	c.mu.Lock()
	defer c.mu.Unlock()
	return Report{
		Sale: c.sale.ID, Item: c.item.ID, Shoppers: len(c.shoppers),
		Asked: t.asked.Load(), Queued: t.queued.Load(), Replayed: t.replayed.Load(), SoldOut: t.soldOut.Load(),
		LimitReached: t.limitReached.Load(), Refused: t.refused.Load(), Unanswered: t.unanswered.Load(),
		Ordered: t.ordered.Load(), Rejected: t.rejected.Load(), Orders: c.orders, Units: c.units, Compared: t.compared.Load(),
		Requests: t.requests.Load(), Waits: t.busy.Load(), Lost: t.lost.Load(), Outages: t.outages.Load(),
		Took: time.Since(t.begun), Audit: c.audit, Problems: kept, Counts: counts,
	}
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

// shownMax is how many problems are printed.
const shownMax = 20

// print writes the table, the problems, and the verdict in one line.
func (r Report) print(out io.Writer) {
	fmt.Fprintln(out)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, row := range r.rows() {
		fmt.Fprintf(table, "%s\t%s\t\n", row.name, grouped(row.count))
	}
	_ = table.Flush() // what cannot be shown is in the report
	fmt.Fprintf(out, "\n%s requests in %s; %s waits, %s answers lost, %s outages\n", grouped(r.Requests),
		r.Took.Round(100*time.Millisecond), grouped(r.Waits), grouped(r.Lost), grouped(r.Outages))
	for i, problem := range r.Problems {
		if i == shownMax {
			fmt.Fprintln(out, "  ...")
			break
		}
		fmt.Fprintln(out, "  "+problem.String())
	}
	fmt.Fprintln(out, r.line())
}

type row struct {
	name  string
	count int64
}

func (r Report) rows() []row {
	return []row{
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
