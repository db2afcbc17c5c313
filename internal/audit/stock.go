package audit

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	tableStock  = "stock"
	tableClaims = "claims"

	ruleHalted   = "halted"
	ruleReturned = "returned"
)

// brokenBy is what a rule finds wrong with facts.
func brokenBy(rule string, item seckill.ID, facts seckill.StockFacts, detail string) Finding {
	f := stockFinding(rule, item, detail)
	f.extent = extentOf(rule, facts)
	return f
}

func stockFinding(id string, item seckill.ID, detail string) Finding {
	return Finding{ID: id, Item: item, Table: tableStock, Key: item.String(), Detail: detail}
}

// stockRule is one thing that must be true of a stock row. broken says what is not, or "".
type stockRule struct {
	id     string
	broken func(entry, seckill.StockFacts) string
}

func stockRules() []stockRule {
	return []stockRule{
		{"conservation", conservation},
		{"negative_units", negativeUnits},
		{"claimed", claimed},
		{"accounted", accounted},
		{"high", high},
		{"allotment", allotment},
		{"issue", issueNumber},
		{"issue_epoch", issueEpoch},
		{"lent", lent},
		{"lent_exceeded", lentExceeded},
		{"doubt", doubt},
		{ruleReturned, returned},
		{"stock_state", stockState},
		{"stock_times", stockTimes},
		{"high_exceeded", highExceeded},
		{"issue_missing", issueMissing},
		{"owed_decrease", owedDecrease},
		{"one_try", oneTry},
		{"sealed_early", sealedEarly},
		{"stock_of_draft", stockOfDraft},
		{"gate", gateLength},
		{ruleHalted, halted},
	}
}

// judgeStock holds one snapshot of an item against every rule.
func judgeStock(e entry, facts seckill.StockFacts) []Finding {
	var findings []Finding
	for _, rule := range stockRules() {
		if detail := rule.broken(e, facts); detail != "" {
			findings = append(findings, brokenBy(rule.id, e.item.ID, facts, detail))
		}
	}
	return append(findings, overLimit(e, facts)...)
}

// Conserved finds what is wrong with the units of one snapshot. It may be asked of a running system at any moment, without
// a second look: it compares nothing that was read at another time. That an item is halted is not its business.
func Conserved(facts seckill.StockFacts) []Finding {
	findings := judgeStock(entry{item: seckill.Item{ID: facts.Stock.Item}}, facts)
	return slices.DeleteFunc(findings, func(f Finding) bool { return f.ID == ruleHalted })
}

// readStock checks an item's row and returns its last snapshot, or seckill.ErrNotFound.
func (r *run) readStock(ctx context.Context, e entry) (seckill.StockFacts, error) {
	var facts seckill.StockFacts
	err := r.confirm(ctx, func(ctx context.Context) (_ []Finding, err error) {
		if facts, err = r.ports.Books.Facts(ctx, e.item.ID); err != nil {
			return nil, err
		}
		if e, err = r.entryNow(ctx, e); err != nil {
			return nil, err
		}
		ceilings, err := r.judgeCeiling(ctx, e, facts.Stock)
		if err != nil {
			return nil, err
		}
		moves, err := r.judgeMoves(ctx, e, facts.Stock)
		return slices.Concat(judgeStock(e, facts), ceilings, moves), err
	})
	return facts, err
}

// readMissingStock decides about an item without a row. A draft has none, and neither has an item whose preload was cut
// short; but nothing can have been sold of it.
func (r *run) readMissingStock(ctx context.Context, e entry) error {
	return r.confirm(ctx, func(ctx context.Context) ([]Finding, error) {
		claims, err := r.ports.Books.ClaimsOf(ctx, e.item.ID, seckill.ClaimPlace{}, 1)
		if err != nil {
			return nil, fmt.Errorf("read claims: %w", err)
		}
		_, err = r.ports.Books.Facts(ctx, e.item.ID)
		switch {
		case err == nil:
			r.note("item %s was preloaded during the audit and not looked at", e.item.ID)
			return nil, nil
		case !errors.Is(err, seckill.ErrNotFound):
			return nil, err
		case len(claims) > 0:
			return []Finding{stockFinding("stock_missing", e.item.ID, "there are claims but no stock row")}, nil
		default:
			return nil, nil
		}
	})
}

// differ says that two figures that should be the same are not.
func differ(what string, is int64, why string, should int64) string {
	if is == should {
		return ""
	}
	return fmt.Sprintf("%s is %d, but %s %d", what, is, why, should)
}

func conservation(_ entry, f seckill.StockFacts) string {
	s := f.Stock
	if s.Allotted == s.Pool+s.Lent+s.Doubt+s.Claimed {
		return ""
	}
	return fmt.Sprintf("allotted is %d, but pool %d + lent %d + doubt %d + claimed %d = %d",
		s.Allotted, s.Pool, s.Lent, s.Doubt, s.Claimed, s.Pool+s.Lent+s.Doubt+s.Claimed)
}

func negativeUnits(_ entry, f seckill.StockFacts) string {
	s := f.Stock
	if min(s.Allotted, s.Pool, s.Lent, s.Doubt, s.Claimed, s.Accounted, s.High, s.OwedDecrease) >= 0 {
		return ""
	}
	return fmt.Sprintf("a figure is below 0: allotted %d, pool %d, lent %d, doubt %d, claimed %d, accounted %d, high %d, owed %d",
		s.Allotted, s.Pool, s.Lent, s.Doubt, s.Claimed, s.Accounted, s.High, s.OwedDecrease)
}

func claimed(_ entry, f seckill.StockFacts) string {
	return differ("claimed", f.Stock.Claimed, "the held claims add up to", f.HeldUnits)
}

func accounted(_ entry, f seckill.StockFacts) string {
	return differ("accounted", f.Stock.Accounted, fmt.Sprintf("the claims of epoch %d add up to", f.Stock.Epoch), f.EpochUnits)
}

// high is what Redis had sold when it wrote the newest message; everything accounted was in a message before.
func high(_ entry, f seckill.StockFacts) string {
	if f.Stock.High >= f.Stock.Accounted {
		return ""
	}
	return fmt.Sprintf("high is %d, but %d units of the epoch are accounted for", f.Stock.High, f.Stock.Accounted)
}

// highExceeded: Redis sells what it was lent, and an issue is committed in SQL before it is sent.
func highExceeded(_ entry, f seckill.StockFacts) string {
	if f.Stock.High <= f.EpochIssued {
		return ""
	}
	return fmt.Sprintf("high is %d, but only %d units were issued in epoch %d", f.Stock.High, f.EpochIssued, f.Stock.Epoch)
}
