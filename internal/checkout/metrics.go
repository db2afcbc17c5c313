package checkout

import "github.com/seckill-dev/seckill/internal/seckill"

// Bound names a limit, for the metric that counts how often it was hit.
type Bound string

// The bounds that may be hit.
const (
	BoundPayments Bound = "payments"
	BoundNotices  Bound = "notices"
	BoundUserRate Bound = "user_orders_rate"
)

// Metrics are hooks; those that are nil are skipped. They are called from many goroutines.
type Metrics struct {
	// Recorded counts charges, each once, by provider and by why the money goes back ("" when it paid the order).
	Recorded func(provider string, refund seckill.RefundReason)
	// Unknown counts charges of payments that are not ours: money that nobody here can give back.
	Unknown func(provider string)
	// Failed counts payments that a provider could not open.
	Failed func(provider string)
	// Hit counts bounds.
	Hit func(bound Bound)
}

func (m Metrics) recorded(provider string, refund seckill.RefundReason) {
	if m.Recorded != nil {
		m.Recorded(provider, refund)
	}
}

func (m Metrics) unknown(provider string) {
	if m.Unknown != nil {
		m.Unknown(provider)
	}
}

func (m Metrics) failed(provider string) {
	if m.Failed != nil {
		m.Failed(provider)
	}
}

func (m Metrics) hit(bound Bound) {
	if m.Hit != nil {
		m.Hit(bound)
	}
}
