package audit

import (
	"context"
	"fmt"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// actsMax is how far back the operators' log is read for a change of limits.
const actsMax = 100

// The names under which the operators' log holds what fixes the items of a sale, and what changes their limits later.
const (
	actPreload = "sale.preload"
	actUpdate  = "sale.update"
)

// overLimit names the users that hold more than the highest limit ever in force.
func overLimit(e entry, f seckill.StockFacts) []Finding {
	var findings []Finding
	for _, user := range f.OverLimit {
		findings = append(findings, Finding{
			ID: "over_limit", Item: e.item.ID, Table: tableClaims, Key: string(user),
			Detail: fmt.Sprintf("user %s holds more units than the ceiling of %d", user, f.Stock.Ceiling),
		})
	}
	return findings
}

// judgeCeiling finds a ceiling below the limit. A limit that an operator has raised since the preload is in the catalog
// before a keeper lifts the ceiling, for as long as no keeper runs; so then it is only noted.
func (r *run) judgeCeiling(ctx context.Context, e entry, stock seckill.Stock) ([]Finding, error) {
	if !e.known || stock.Ceiling >= e.item.LimitPerUser {
		return nil, nil
	}
	acts, err := r.ports.Catalog.Acts(ctx, e.sale, actsMax)
	if err != nil {
		return nil, fmt.Errorf("read the operators' log of sale %s: %w", e.sale, err)
	}
	detail := fmt.Sprintf("ceiling is %d, but the limit per user is %d", stock.Ceiling, e.item.LimitPerUser)
	if updatedSincePreload(acts) {
		r.note("item %s: %s; a keeper has yet to lift it", e.item.ID, detail)
		return nil, nil
	}
	return []Finding{stockFinding("ceiling", e.item.ID, detail)}, nil
}

// updatedSincePreload reads the log, newest first. A log that is cut off before the preload cannot say no.
func updatedSincePreload(acts []seckill.Act) bool {
	for _, act := range acts {
		switch act.Action {
		case actUpdate:
			return true
		case actPreload:
			return false
		default:
		}
	}
	return len(acts) >= actsMax
}
