package audit

import (
	"fmt"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// stockState holds the figures against where the epoch stands.
func stockState(_ entry, f seckill.StockFacts) string {
	s := f.Stock
	switch s.State {
	case seckill.StockNew:
		return unless(unused(s), s)
	case seckill.StockLoading:
		return unless(begun(s) && s.Accounted == 0, s)
	case seckill.StockOpen, seckill.StockSealing:
		return unless(begun(s), s)
	case seckill.StockClosed:
		return unless(s.Lent == 0 && s.Final && s.Attempt == 0, s)
	default:
		return fmt.Sprintf("the state %q does not exist", s.State)
	}
}

func unused(s seckill.Stock) bool {
	return s.Epoch == 0 && s.Issue == 0 && s.Attempt == 0 && s.Lent == 0 && s.Doubt == 0 && s.Claimed == 0
}

func begun(s seckill.Stock) bool { return s.Epoch >= 1 && s.Issue >= 1 && s.Attempt != 0 }

func unless(possible bool, s seckill.Stock) string {
	if possible {
		return ""
	}
	return fmt.Sprintf("no item that is %s can have epoch %d, issue %d, attempt %d, final %t, lent %d, doubt %d, claimed %d, accounted %d",
		s.State, s.Epoch, s.Issue, s.Attempt, s.Final, s.Lent, s.Doubt, s.Claimed, s.Accounted)
}
