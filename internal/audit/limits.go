package audit

import (
	"context"
	"encoding/json"
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

// judgeCeiling finds a ceiling that is none of the limits since the preload. It begins as the limit and is lifted before
// Redis hears of a higher one, so without an edit the two are the same. A limit that an operator has raised is in the
// catalog before a keeper lifts the ceiling, for as long as no keeper can; that is only noted.
func (r *run) judgeCeiling(ctx context.Context, e entry, stock seckill.Stock) ([]Finding, error) {
	if !e.known || stock.Ceiling == e.item.LimitPerUser {
		return nil, nil
	}
	acts, err := r.ports.Catalog.Acts(ctx, e.sale, actsMax)
	if err != nil {
		return nil, fmt.Errorf("read the operators' log of sale %s: %w", e.sale, err)
	}
	limits := limitsSincePreload(acts, e.item)
	detail := fmt.Sprintf("ceiling is %d, but the limit per user is %d", stock.Ceiling, e.item.LimitPerUser)
	switch {
	case stock.Ceiling < limits.least || stock.Ceiling > limits.most && !limits.more:
		return []Finding{stockFinding("ceiling", e.item.ID, fmt.Sprintf("%s, and since the preload it was from %d to %d",
			detail, limits.least, limits.most))}, nil
	case stock.Ceiling < e.item.LimitPerUser:
		r.note("item %s: %s; a keeper has yet to lift it", e.item.ID, detail)
	}
	return nil, nil
}

// limitRange is between which limits an item was sold. more says that the log was cut off, so there may be others.
type limitRange struct {
	least, most int64
	more        bool
}

// limitsSincePreload reads the log, newest first. It must be read after the item.
func limitsSincePreload(acts []seckill.Act, item seckill.Item) limitRange {
	limits := limitRange{item.LimitPerUser, item.LimitPerUser, len(acts) >= actsMax}
	for _, act := range acts {
		switch act.Action {
		case actUpdate:
			limits.add(act.Before, item.ID)
			limits.add(act.After, item.ID)
		case actPreload:
			limits.more = false
			return limits.orFewer()
		default:
		}
	}
	return limits.orFewer()
}

// orFewer forgets the lower end of a log that was cut off: the first limit may have been any.
func (l limitRange) orFewer() limitRange {
	if l.more {
		l.least = 1
	}
	return l
}

// add widens the range by what one side of an edit says of the item. An edit of something else says nothing.
func (l *limitRange) add(side string, item seckill.ID) {
	var edited struct {
		Items []struct {
			ID           seckill.ID `json:"id"`
			LimitPerUser int64      `json:"limit_per_user"`
		} `json:"items"`
	}
	if json.Unmarshal([]byte(side), &edited) != nil {
		return
	}
	for _, i := range edited.Items {
		if i.ID == item {
			l.least, l.most = min(l.least, i.LimitPerUser), max(l.most, i.LimitPerUser)
		}
	}
}
