package audit

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// idsEnd comes after every character of a move's name.
const idsEnd = "~"

// itemRound goes through the moves and claims of one item and adds them up. The row's version changes with every unit that
// moves; so if it is the same before and after, what lies between is one moment, however long it took to read it.
type itemRound struct {
	watch *Watch
	item  seckill.ID

	begun  seckill.Stock
	facts  seckill.StockFacts
	ledger ledger
	// moves are the findings about them, which hold if the row is still the same in the end.
	moves []Finding
	kinds []seckill.MoveKind // that have yet to be read
	after string
	claim seckill.ClaimPlace
	// user holds this much of what has been read.
	user  seckill.UserID
	holds int64
}

// namedMoves are the kinds of moves that are named after their item. Returns are named after claims, and looked at with them.
func namedMoves() []seckill.MoveKind {
	return []seckill.MoveKind{
		seckill.MoveAdjust, seckill.MoveOwe, seckill.MoveIssue, seckill.MoveSeal, seckill.MoveDoubt, seckill.MoveSettle,
	}
}

func (i *itemRound) name() string { return "item " + i.item.String() }

func (i *itemRound) next(ctx context.Context, r *run) (rows int, last bool, err error) {
	switch {
	case i.begun.Item == 0:
		return i.begin(ctx)
	case len(i.kinds) > 0:
		rows, err = i.readMoves(ctx)
		return rows, false, err
	default:
		return i.readClaims(ctx, r)
	}
}

func (i *itemRound) begin(ctx context.Context) (rows int, last bool, err error) {
	i.begun, err = i.watch.ports.Stocks.Get(ctx, i.item)
	if errors.Is(err, seckill.ErrNotFound) {
		return 0, true, nil
	}
	i.facts = seckill.StockFacts{Moved: make(map[seckill.MoveKind]int64)}
	i.ledger = ledger{epochs: make(map[int64]*epoch), changes: make(map[string]adjusted)}
	i.kinds = namedMoves()
	return 1, false, err
}

func (i *itemRound) readMoves(ctx context.Context) (int, error) {
	prefix := fmt.Sprintf("%s:%s:", i.kinds[0], i.item)
	home := seckill.HomeShard(i.watch.ports.Shards, i.item)
	page, err := i.watch.ports.Books.MovesBetween(ctx, home, max(prefix, i.after), prefix+idsEnd, turnRows)
	if err != nil {
		return 0, fmt.Errorf("read moves: %w", err)
	}
	for _, move := range page {
		i.moves = append(i.moves, judgeMove(moved{move, i.begun})...)
		i.ledger.add(move)
		i.addMove(move)
	}
	i.moves = i.moves[:min(len(i.moves), findingsMax)]
	if i.after = ""; len(page) < turnRows {
		i.kinds = i.kinds[1:]
	} else {
		i.after = page[len(page)-1].ID
	}
	return len(page), nil
}

func (i *itemRound) addMove(m seckill.Move) {
	f := &i.facts
	f.Moved[m.Kind] += m.Units
	switch m.Kind {
	case seckill.MoveAdjust:
		f.AdjustUnits += m.Units
	case seckill.MoveIssue:
		f.Issues++
		f.LastIssue = max(f.LastIssue, m.Issue)
		f.LastIssueEpoch = max(f.LastIssueEpoch, m.Epoch)
		if m.Epoch == i.begun.Epoch {
			f.EpochIssued += m.Units
		}
	default:
	}
}

// readClaims looks at a page of claims as a whole audit does, and ends the round with the last one.
func (i *itemRound) readClaims(ctx context.Context, r *run) (rows int, last bool, err error) {
	page, err := i.watch.ports.Books.ClaimsOf(ctx, i.item, i.claim, turnRows)
	if err != nil {
		return 0, false, fmt.Errorf("read claims: %w", err)
	}
	for _, claim := range page {
		i.addClaim(claim)
	}
	if len(page) > 0 {
		now, err := i.watch.ports.Stocks.Get(ctx, i.item)
		if err != nil {
			return 0, false, fmt.Errorf("read stock: %w", err)
		}
		if err := r.readClaimPage(ctx, entry{item: seckill.Item{ID: i.item}}, page, now); err != nil {
			return 0, false, err
		}
		i.claim = page[len(page)-1].Place()
	}
	if len(page) == turnRows {
		return len(page), false, nil
	}
	return len(page), true, i.end(ctx, r)
}

func (i *itemRound) addClaim(c seckill.Claim) {
	f := &i.facts
	f.ClaimUnits += c.Quantity
	if c.Epoch == i.begun.Epoch {
		f.EpochUnits += c.Quantity
	}
	switch c.State {
	case seckill.ClaimHeld:
		f.HeldUnits += c.Quantity
	case seckill.ClaimReturned:
		f.ReturnedUnits += c.Quantity
	default:
	}
	if i.user != c.User {
		i.user, i.holds = c.User, 0
	}
	counts := c.State == seckill.ClaimHeld || c.State == seckill.ClaimReturned && i.begun.OneTry
	if !counts {
		return
	}
	// Once, when it becomes too much. Few do, so that the sums of all users need not be kept.
	if i.holds += c.Quantity; i.holds > i.begun.Ceiling && i.holds-c.Quantity <= i.begun.Ceiling && len(f.OverLimit) < findingsMax {
		f.OverLimit = append(f.OverLimit, c.User)
	}
}

// end holds the sums against the row. A snapshot decides what looks wrong for the first time, or worse than before, and what
// is still wrong if units have moved meanwhile.
func (i *itemRound) end(ctx context.Context, r *run) error {
	now, err := i.watch.ports.Stocks.Get(ctx, i.item)
	if errors.Is(err, seckill.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read stock: %w", err)
	}
	e, err := r.entry(ctx, i.item)
	if err != nil {
		return err
	}
	if now.Version == i.begun.Version {
		findings, err := i.exact(ctx, r, e, now)
		if err != nil {
			return err
		}
		if findings = lasting(findings); i.watch.notes.knows(findings) && !i.seesReturned() {
			r.add(findings...)
			return nil
		}
	} else if i.accountedFor(now) && !i.seesSums() {
		return nil
	}
	if _, err := r.readStock(ctx, e); err != nil && !errors.Is(err, seckill.ErrNotFound) {
		return err
	}
	return nil
}

// accountedFor is all that can be said if units have moved meanwhile: the claims of the epoch still must not be fewer than it
// has accounted for when the round began, nor more than now, because they only ever become more. The other sums of an item
// that sells all the while have to wait until it is quiet.
func (i *itemRound) accountedFor(now seckill.Stock) bool {
	units := i.facts.EpochUnits
	return now.Epoch != i.begun.Epoch || units >= i.begun.Accounted && units <= now.Accounted
}

// seesSums says whether anything is known that pages of claims do not show.
func (i *itemRound) seesSums() bool {
	pages := append(idsOfRules(claimRules(), func(r claimRule) string { return r.id }), ruleAndMore)
	return i.watch.notes.sees(i.name(), func(rule string) bool { return !slices.Contains(pages, rule) })
}

// seesReturned says whether something is known that only a snapshot shows.
func (i *itemRound) seesReturned() bool {
	return i.watch.notes.sees(i.name(), func(rule string) bool { return rule == ruleReturned })
}

func (i *itemRound) exact(ctx context.Context, r *run, e entry, now seckill.Stock) ([]Finding, error) {
	i.facts.Stock, i.ledger.stock, i.ledger.entry = now, now, e
	// The moves of returns are looked at one by one, here with their claims, and once more by themselves.
	i.facts.Moved[seckill.MoveReturn] = i.facts.ReturnedUnits
	findings, err := r.judgeCeiling(ctx, e, now)
	findings = append(findings, judgeStock(e, i.facts)...)
	findings = append(findings, i.ledger.judge()...)
	return append(findings, i.moves...), err
}
