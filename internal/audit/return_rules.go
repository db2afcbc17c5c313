package audit

import (
	"context"
	"fmt"
	"strings"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const returnPrefix = string(seckill.MoveReturn) + ":"

// returnOf is the claim that a return move is called after; 0 for other moves.
func returnOf(m seckill.Move) seckill.ID {
	name, isReturn := strings.CutPrefix(m.ID, returnPrefix)
	if !isReturn || m.Kind != seckill.MoveReturn {
		return 0
	}
	claim, err := seckill.ParseID(name)
	if err != nil {
		return 0
	}
	return claim
}

// judgeReturns reads the claims of a page's return moves, which were written in the same transactions.
func (r *run) judgeReturns(ctx context.Context, item seckill.ID, page []seckill.Move) ([]Finding, error) {
	var ids []seckill.ID
	for _, move := range page {
		if claim := returnOf(move); claim != 0 {
			ids = append(ids, claim)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	found, err := r.ports.Claims.Find(ctx, item, ids)
	if err != nil {
		return nil, fmt.Errorf("read claims of returns: %w", err)
	}
	claims := make(map[seckill.ID]seckill.Claim, len(found))
	for _, claim := range found {
		claims[claim.ID] = claim
	}
	var findings []Finding
	for _, move := range page {
		id := returnOf(move)
		claim, known := claims[id]
		if id == 0 {
			continue
		}
		if detail := returnBroken(move, claim, known); detail != "" {
			findings = append(findings, moveFinding("return_claim", move, detail))
		}
	}
	return findings, nil
}

func returnBroken(m seckill.Move, c seckill.Claim, known bool) string {
	switch {
	case !known:
		return "the item has no such claim"
	case c.State != seckill.ClaimReturned:
		return fmt.Sprintf("the claim is %s", c.State)
	case c.Epoch > m.Epoch:
		return fmt.Sprintf("it was returned in epoch %d, but the claim is of epoch %d", m.Epoch, c.Epoch)
	case c.CreatedAt.After(m.At.Add(clockSlack)):
		return fmt.Sprintf("at is %d, but the claim was created at %d", milli(m.At), milli(c.CreatedAt))
	default:
		return differ("units", m.Units, "the claim's are", c.Quantity)
	}
}

// returnsOf reads the moves of a page's returned claims.
func (r *run) returnsOf(ctx context.Context, page []seckill.Claim) (map[seckill.ID]bool, error) {
	var names []string
	for _, claim := range page {
		if claim.State == seckill.ClaimReturned {
			names = append(names, returnPrefix+claim.ID.String())
		}
	}
	back := make(map[seckill.ID]bool, len(names))
	if len(names) == 0 {
		return back, nil
	}
	moves, err := r.ports.Books.MovesOf(ctx, page[0].Item, names)
	if err != nil {
		return nil, fmt.Errorf("read moves of returned claims: %w", err)
	}
	for _, move := range moves {
		back[returnOf(move)] = true
	}
	return back, nil
}

// returnedWithoutMove: a unit that came back without a move came from nowhere.
func returnedWithoutMove(b booked) string {
	if b.claim.State != seckill.ClaimReturned || b.back {
		return ""
	}
	return "it is returned, but no move says so"
}
