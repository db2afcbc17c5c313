package audit

import (
	"context"
	"fmt"
	"slices"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	findingsMax = 1000
	notesMax    = 100

	ruleAndMore   = "and_more"
	tableFindings = "findings"
)

// add keeps findings as long as there is room, and counts the rest.
func (r *run) add(findings ...Finding) {
	room := max(0, r.most-len(r.findings))
	kept := min(room, len(findings))
	r.findings = append(r.findings, findings[:kept]...)
	r.more += int64(len(findings) - kept)
}

func (r *run) note(format string, args ...any) {
	note := fmt.Sprintf(format, args...)
	if len(r.notes) < notesMax && !slices.Contains(r.notes, note) {
		r.notes = append(r.notes, note)
	}
}

func (r *run) report(sale *seckill.ID) Report {
	findings := r.findings
	if r.more > 0 {
		findings = append(findings, Finding{
			ID: ruleAndMore, Table: tableFindings, Key: "-", Detail: fmt.Sprintf("and %d more", r.more),
		})
	}
	return Report{Sale: sale, OK: len(findings) == 0, Checked: r.checked, Findings: findings, Owed: r.owed, Notes: r.notes}
}

// confirm repeats a look as long as it finds something, and adds what it found each time. On a running system rows that
// are read one after the other may disagree for a moment; what is wrong stays wrong.
func (r *run) confirm(ctx context.Context, look func(context.Context) ([]Finding, error)) error {
	findings, err := look(ctx)
	for looks := 1; err == nil && len(findings) > 0 && looks < looksMax; looks++ {
		if err := r.pause(ctx); err != nil {
			return err
		}
		before := make(map[place]bool, len(findings))
		for _, f := range findings {
			before[f.place()] = true
		}
		if findings, err = look(ctx); err != nil {
			return err
		}
		kept := findings[:0]
		for _, f := range findings {
			if before[f.place()] {
				kept = append(kept, f)
			}
		}
		findings = kept
	}
	if err != nil {
		return err
	}
	r.add(findings...)
	return nil
}

// place is what makes two findings the same.
type place struct{ id, table, key string }

func (f Finding) place() place { return place{f.ID, f.Table, f.Key} }

func (r *run) pause(ctx context.Context) error {
	select {
	case <-r.ports.Clock.After(lookAgainAfter):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
