package audit

import (
	"context"
	"fmt"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// comparesMax is how often Redis and SQL are read again because they did not show the same issue.
const comparesMax = 5

// sides are one reading of Redis, SQL, and Redis again.
type sides struct {
	before, after seckill.LentState
	stock         seckill.Stock
}

// readRedis compares an open item with what Redis says of it.
func (r *run) readRedis(ctx context.Context, e entry, stock seckill.Stock) error {
	if r.ports.Lent == nil || stock.State != seckill.StockOpen {
		return nil
	}
	return r.confirm(ctx, func(ctx context.Context) ([]Finding, error) {
		why := ""
		for range comparesMax {
			s, err := r.readSides(ctx, e.item.ID)
			if err != nil || s.stock.State != seckill.StockOpen {
				return nil, err
			}
			if why = s.incomparable(); why == "" {
				return judgeRedis(e, s), nil
			}
			if err := r.pause(ctx); err != nil {
				return nil, err
			}
		}
		r.note("item %s was not compared with redis: %s", e.item.ID, why)
		return nil, nil
	})
}

func (r *run) readSides(ctx context.Context, item seckill.ID) (sides, error) {
	before := r.redisState(ctx, item)
	facts, err := r.ports.Books.Facts(ctx, item)
	if err != nil {
		return sides{}, err
	}
	return sides{before: before, stock: facts.Stock, after: r.redisState(ctx, item)}, context.Cause(ctx)
}

// redisState reads one item. A Redis that does not answer says as little as one that does not know the item.
func (r *run) redisState(ctx context.Context, item seckill.ID) seckill.LentState {
	states, err := r.ports.Lent.States(ctx, []seckill.ID{item})
	if err != nil || len(states) != 1 {
		r.ports.Log.Warn("audit: redis does not answer", "item", item, "error", err)
		return seckill.LentState{Item: item}
	}
	return states[0]
}

// incomparable says why the two sides speak of different moments, or "". A Redis that may not sell has perhaps lost
// something; that is a keeper's matter, and no contradiction.
func (s sides) incomparable() string {
	switch {
	case !s.before.Known || !s.after.Known:
		return "redis does not answer, or does not know it"
	case !s.before.Live || !s.after.Live:
		return "its gate has lapsed"
	case s.before.Epoch != s.stock.Epoch || s.after.Epoch != s.stock.Epoch:
		return fmt.Sprintf("redis has epoch %d, sql %d", s.after.Epoch, s.stock.Epoch)
	case s.before.Server.RunID != s.after.Server.RunID || s.before.Server.ReplicationID != s.after.Server.ReplicationID:
		return "another redis took over"
	case s.before.Issue > s.stock.Issue:
		return "" // the other way round it lags behind; this way it is wrong
	case s.before.Issue != s.stock.Issue || s.after.Issue != s.stock.Issue:
		return fmt.Sprintf("redis has issue %d, sql %d", s.after.Issue, s.stock.Issue)
	default:
		return ""
	}
}

// redisRule is one thing that must be true of both sides.
type redisRule struct {
	id     string
	broken func(sides) string
}

func redisRules() []redisRule {
	return []redisRule{
		{"redis_ahead", redisAhead},
		{"redis_units", redisUnits},
		{"redis_sold", redisSold},
		{"redis_limit", redisLimit},
	}
}

func judgeRedis(e entry, s sides) []Finding {
	var findings []Finding
	for _, rule := range redisRules() {
		if detail := rule.broken(s); detail != "" {
			f := stockFinding(rule.id, e.item.ID, detail)
			f.extent = extent{epoch: s.stock.Epoch} // the next one is loaded anew
			findings = append(findings, f)
		}
	}
	return findings
}

// redisAhead: issues are committed in SQL before they are sent.
func redisAhead(s sides) string {
	if s.before.Issue <= s.stock.Issue {
		return ""
	}
	return fmt.Sprintf("redis has issue %d, but sql only %d", s.before.Issue, s.stock.Issue)
}

func redisUnits(s sides) string {
	if s.before.Issue != s.stock.Issue {
		return ""
	}
	should := s.after.Available + s.after.Sold - s.stock.Accounted
	if s.stock.Lent == should && s.after.Available >= 0 {
		return ""
	}
	return fmt.Sprintf("lent is %d, but redis has avail %d + sold %d, less accounted %d, which is %d",
		s.stock.Lent, s.after.Available, s.after.Sold, s.stock.Accounted, should)
}

// redisSold: what SQL has heard of was sold before.
func redisSold(s sides) string {
	if s.after.Sold >= s.stock.High {
		return ""
	}
	return fmt.Sprintf("high is %d, but redis has sold %d only", s.stock.High, s.after.Sold)
}

// redisLimit: settling rejects what exceeds the ceiling, so it must be up before Redis grants more.
func redisLimit(s sides) string {
	if s.before.Limit <= s.stock.Ceiling {
		return ""
	}
	return fmt.Sprintf("ceiling is %d, but redis grants up to %d per user", s.stock.Ceiling, s.before.Limit)
}
