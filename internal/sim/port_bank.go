package sim

import (
	"context"

	"github.com/seckill-dev/seckill/internal/seckill"
	"github.com/seckill-dev/seckill/internal/sim/bank"
)

// bankPort is the payment provider as a process reaches it.
type bankPort struct {
	*bank.Bank

	p *process
}

// session is the answer of Open.
type session struct{ id, url string }

// Open implements seckill.Provider.
func (x bankPort) Open(ctx context.Context, payment seckill.Payment, title string) (id, url string, err error) {
	answer, err := ask(ctx, x.p, bankOpen, about{id: payment.ID, says: []any{payment.Order}}, func(ctx context.Context) (s session, err error) {
		s.id, s.url, err = x.Bank.Open(ctx, payment, title)
		return s, err
	})
	return answer.id, answer.url, err
}

// Close implements seckill.Provider.
func (x bankPort) Close(ctx context.Context, payment seckill.Payment) ([]seckill.Charge, error) {
	charges, err := ask(ctx, x.p, bankClose, about{id: payment.ID, says: []any{payment.Order}}, func(ctx context.Context) ([]seckill.Charge, error) {
		return x.Bank.Close(ctx, payment)
	})
	if x.p.skips(closeForgets) {
		return nil, err
	}
	return charges, err
}

// Refund implements seckill.Provider.
func (x bankPort) Refund(ctx context.Context, refund seckill.Refund) error {
	err := tell(ctx, x.p, bankRefund, about{id: refund.Order, says: []any{refund.Txn}}, func(ctx context.Context) error {
		return x.Bank.Refund(ctx, refund)
	})
	if x.p.skips(refundEarly) {
		return nil
	}
	return err
}
