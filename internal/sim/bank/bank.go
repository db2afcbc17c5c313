package bank

import (
	"fmt"
	"sync"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

var _ seckill.Provider = (*Bank)(nil)

// Name is what rows call this provider.
const Name = "bank"

// Settings are set before the first call.
type Settings struct {
	// Lives is how long a session is kept open at most, 0 for as long as it is asked to.
	Lives time.Duration
	// Lingers is how long after its deadline a session still takes money: some providers end none sooner.
	Lingers  time.Duration
	Mistakes Mistakes
}

// Mistakes are guards that a provider, or who uses it, could lack.
type Mistakes struct {
	OpensAgain   bool // every Open makes another session: no id was given
	RefundsAgain bool // every Refund gives the money back once more: no key was given
	KeepsOpen    bool // Close ends nothing
	AnySignature bool // a notice is believed whoever signed it
}

// Bank is the provider. Safe for concurrent use.
type Bank struct {
	Settings

	clock seckill.Clock

	mu        sync.Mutex
	sessions  []*Session // in the order they were made
	byPayment map[seckill.ID]*Session
	charges   []*Charge // in the order they came
	notices   []*Charge // that wait to be told
	named     int
	down      bool
	refusing  bool
	pending   bool
}

// New is a bank without payments.
func New(clock seckill.Clock, settings Settings) *Bank {
	return &Bank{Settings: settings, clock: clock, byPayment: map[seckill.ID]*Session{}}
}

// Session is where one payment is paid. One that was closed before it was opened has no price.
type Session struct {
	ID        string
	Payment   seckill.ID
	Amount    int64
	Currency  string
	ExpiresAt time.Time
	Opened    bool
	Closed    bool
	Paid      bool
	Charges   []*Charge
}

// Charge is money that arrived, and how often it went back.
type Charge struct {
	Txn      string
	Payment  seckill.ID
	Amount   int64
	Currency string
	At       time.Time
	Refunds  int
}

func (s *Session) open(now time.Time) bool {
	return s.Opened && !s.Paid && !s.Closed && now.Before(s.ExpiresAt)
}

func (b *Bank) name(of string) string {
	b.named++
	return fmt.Sprintf("%s%d", of, b.named)
}
