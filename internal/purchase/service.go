package purchase

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seckill-dev/seckill/internal/rate"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// Request is one purchase. Key is the Idempotency-Key, "" when there is none.
type Request struct {
	Item     seckill.ID
	User     seckill.UserID
	Quantity int64
	Key      string
}

// Receipt answers a purchase. Replayed says that an earlier request made the reservation.
type Receipt struct {
	Reservation seckill.Reservation
	Replayed    bool
}

// Ports are what buying needs. Log, Random and Metrics may be nil.
type Ports struct {
	Lent          seckill.Lent
	Publisher     seckill.Publisher
	Claims        seckill.Claims
	Stocks        seckill.Stocks
	Catalog       seckill.Catalog
	Marks         seckill.Marks
	Shards        seckill.Shards
	IDs           seckill.IDs
	Queue         seckill.QueueWatch
	Announcements seckill.Announcements
	Clock         seckill.Clock
	Log           *slog.Logger
	// Random returns numbers in [0, 1); it spreads what Retry-After says.
	Random  func() float64
	Metrics Metrics
}

// Service is the use case. Safe for concurrent use; it serves only while Run runs.
type Service struct {
	ports   Ports
	options Options
	clock   seckill.Clock
	log     *slog.Logger

	// incarnation names the process for its lifetime, from its first heartbeat on.
	incarnation seckill.ID
	naming      sync.Mutex
	// base is the context of every call that is made for many shoppers: no shopper's own, and never cancelled.
	base     context.Context
	listings atomic.Pointer[shelf]
	// arranging has room for one: waiting for it ends with a request's deadline.
	arranging chan struct{}
	users     *rate.Users
	shards    []*shard
	marks     marks
	waiting   *waiters
	redisTime atomic.Pointer[reading]
	// round counts the readings of states; only that job knows it.
	round uint64
	// catalogReads and givenBackReads bound the SQL that unusual requests may cause.
	catalogReads   chan struct{}
	givenBackReads chan struct{}

	pending atomic.Int64
	// requests are Buy calls, tasks the batch calls they started; Drain waits for both.
	requests *turnstile
	tasks    *turnstile
	// lookups are reads that change nothing; they are only waited for at the very end.
	lookups *turnstile
	drained sync.Once
	// draining is closed when Drain begins.
	draining chan struct{}
}

// New checks the ports. It asks no store, so that a process can start while one is away.
func New(ports Ports, options Options) (*Service, error) {
	if err := ports.check(); err != nil {
		return nil, err
	}
	options = options.withDefaults()
	s := &Service{
		ports: ports, options: options, clock: ports.Clock, log: ports.Log,
		base:           context.Background(),
		users:          rate.NewUsers(options.UserRate, options.UserBurst, options.UsersMax),
		waiting:        newWaiters(options.WaitersMax),
		arranging:      make(chan struct{}, 1),
		catalogReads:   make(chan struct{}, options.CatalogReadsMax),
		givenBackReads: make(chan struct{}, options.GivenBackReadsMax),
		draining:       make(chan struct{}),
		requests:       newTurnstile(), tasks: newTurnstile(), lookups: newTurnstile(),
	}
	for n := range ports.Shards.Count() {
		s.shards = append(s.shards, &shard{number: n})
	}
	return s, nil
}

// Buy reserves units for a user. Refusals are *seckill.Refusal; an accepted reservation is durable when Buy returns.
func (s *Service) Buy(ctx context.Context, request Request) (Receipt, error) {
	receipt, err := s.buy(ctx, request)
	if reason := seckill.ReasonOf(err); err == nil || reason != "" {
		s.ports.Metrics.answered(reason, receipt.Replayed)
	} else {
		s.ports.Metrics.failed("buy")
	}
	return receipt, err
}

func (s *Service) buy(ctx context.Context, request Request) (Receipt, error) {
	if !s.requests.enter() {
		return Receipt{}, s.busy("the server is stopping")
	}
	defer s.requests.leave()
	item, err := s.admit(ctx, request)
	if err != nil {
		return Receipt{}, err
	}
	if refusal := item.verdict(s.clock.Now(), request); refusal != nil {
		receipt, known, err := s.replay(ctx, item, request, refusal)
		if err != nil || !known {
			return receipt, err
		}
	}
	return s.reserve(ctx, item, request)
}

// Status tells how a reservation stands. While it is queued the answer is held back until it is decided, or for wait at
// most. Somebody else's reservation is not_found.
func (s *Service) Status(ctx context.Context, user seckill.UserID, item, id seckill.ID, wait time.Duration) (seckill.Reservation, error) {
	listing, err := s.resolve(ctx, item)
	if err != nil {
		return seckill.Reservation{}, err
	}
	return s.await(ctx, listing, user, id, min(wait, s.options.WaitMax))
}

// Ready says whether this process can serve: it knows the catalog and has been seen on every shard that answers. Outages
// of stores do not make it unready, because browsing goes on and purchases hear busy.
func (s *Service) Ready() error {
	switch {
	case s.requests.closed():
		return errDraining
	case s.listings.Load() == nil:
		return errNoCatalog
	}
	serving := false
	for _, shard := range s.shards {
		if !shard.tried.Load() {
			return fmt.Errorf("no heartbeat on shard %d yet", shard.number)
		}
		serving = serving || shard.beaten.Load() != nil
	}
	if !serving {
		return errNoHeartbeat
	}
	return nil
}
