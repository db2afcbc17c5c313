package app

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const progressEvery = time.Second

// Progress prints one line a second while the sale changes, until ctx ends or the sale is over.
func (s *System) Progress(ctx context.Context, w io.Writer, sale seckill.ID) {
	var last string
	for {
		select {
		case <-time.After(progressEvery):
		case <-ctx.Done():
			return
		}
		line, over := s.progressLine(ctx, sale)
		if line != "" && line != last {
			_, _ = fmt.Fprintf(w, "%s  %s\n", time.Now().Format(time.TimeOnly), line)
			last = line
		}
		if over {
			return
		}
	}
}

func (s *System) progressLine(ctx context.Context, sale seckill.ID) (line string, over bool) {
	stats, err := s.Operate.Stats(ctx, sale)
	if err != nil {
		return "", false
	}
	var allotted, claimed, orders, lent, doubt int64
	rebuilding := ""
	for _, item := range stats.Items {
		allotted += item.Stock.Allotted
		claimed += item.Stock.Claimed
		lent += item.Stock.Lent
		doubt += item.Stock.Doubt
		for _, count := range item.Orders {
			orders += count.Orders
		}
		if item.Stock.State == seckill.StockSealing || item.Stock.State == seckill.StockLoading {
			rebuilding = "  (rebuilding: shoppers hear busy for a moment)"
		}
	}
	waiting := int64(0)
	if stats.Queue != nil {
		waiting = stats.Queue.Ready + stats.Queue.Unacked
	}
	line = fmt.Sprintf("%-9s  %d of %d units sold, %d orders, %d lent to redis, %d batches queued",
		stats.State, claimed, allotted, orders, lent, waiting)
	if doubt > 0 {
		line += fmt.Sprintf(", %d in doubt", doubt)
	}
	return line + rebuilding, stats.State == seckill.SaleEnded
}
