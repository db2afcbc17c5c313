package drill

import (
	"context"
	"fmt"
	"time"

	"github.com/seckill-dev/seckill/internal/audit"
	"github.com/seckill-dev/seckill/internal/crowd"
)

// Verdict is what is proven in the end.
type Verdict struct {
	Counts Counts
	// Shoppers came, of which Compared looked at all their orders in the end.
	Shoppers, Compared int64
	// Findings are broken promises, the first ones of each kind; Found counts all by kind.
	Findings []Finding
	Found    map[string]int64
	Audit    audit.Report
	// Interrupted says that it was ended early: the crowds were sent home and not compared.
	Interrupted bool
	// Hurried says that nobody waited until everything was at rest: what was under way then is neither kept nor broken.
	Hurried bool
	// Notes are no findings: what was not played, or not compared.
	Notes []string
}

// Clean says that no promise was broken.
func (v Verdict) Clean() bool { return len(v.Found) == 0 }

func (v *Verdict) add(findings ...Finding) {
	for _, f := range findings {
		if v.Found[f.Kind]++; v.Found[f.Kind] <= findingsMax {
			v.Findings = append(v.Findings, f)
		}
	}
}

// judgeCrowds takes over what the crowds found.
func (v *Verdict) judgeCrowds(reports []crowd.Report) {
	var found []Finding
	for _, report := range reports {
		v.Shoppers += int64(report.Shoppers)
		v.Compared += report.Compared
		for _, problem := range report.Problems {
			found = append(found, Finding{string(problem.Kind), problem.User, problem.Reservation, problem.Detail})
		}
		for kind, count := range report.Counts {
			v.Found[string(kind)] += count
		}
	}
	v.Findings = append(v.Findings, crowd.FirstOfEach(found, findingsMax, func(f Finding) string { return f.Kind })...)
}

// judgeTurns takes every fault for broken that the system did not get over, or that could not be ended.
func (v *Verdict) judgeTurns(turns []turn) {
	for _, t := range turns {
		if t.failure != nil {
			v.add(findingf(unhealed, "", "", "%s at %s: %v", t.act, t.at.Format(time.TimeOnly), t.failure))
		}
		if t.over && !t.isWhole() {
			v.add(findingf(stuck, "", "", "%s at %s: %s", t.act, t.at.Format(time.TimeOnly), t.recovered))
		}
	}
}

// judgeBooks holds the ledger and the provider's against what is stored, and audits that.
func (v *Verdict) judgeBooks(ctx context.Context, d *drill) error {
	told, err := readPromises(d.ledgerFile())
	if err != nil {
		return err
	}
	stored, err := d.config.System.Open(ctx, d.stage.fleet.File())
	if err != nil {
		return fmt.Errorf("open what is stored: %w", err)
	}
	defer func() { _ = stored.Close() }()
	found, err := readBooks(ctx, stored)
	if err != nil {
		return err
	}
	j := &judge{books: found, pairs: d.config.Pairs, hurried: v.Hurried}
	j.promises(told)
	if !v.Hurried { // the provider's ledger was not read to its end
		j.money(d.till)
	}
	v.Counts = j.counts
	v.add(j.findings...)
	if v.Audit, err = stored.Audit(ctx); err != nil {
		return fmt.Errorf("audit what is stored: %w", err)
	}
	for _, f := range v.Audit.Findings {
		v.add(findingf("audit "+f.ID, "", f.Reservation.String(), "%s %s: %s", f.Table, f.Key, f.Detail))
	}
	v.Notes = append(v.Notes, v.Audit.Notes...)
	if v.Counts.Ordered == 0 && !v.Hurried {
		v.add(findingf(unsold, "", "", "not one order was made"))
	}
	return nil
}
