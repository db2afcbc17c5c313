package purchase

import (
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

var (
	errDraining  = errors.New("purchase: draining")
	errNoCatalog = errors.New("purchase: the catalog has not been read yet")
	// errNoHeartbeat says that no shard has ever answered this process.
	errNoHeartbeat = errors.New("purchase: no heartbeat on any shard yet")
)

// Options are the bounds. The zero value of each means its default.
type Options struct {
	// PendingMax and PendingPerItem bound the purchases that wait for their answer.
	PendingMax     int64
	PendingPerItem int64
	// BatchMax is the size of one Lua call, at most seckill.ReserveBatchMax.
	BatchMax int
	// PublishesMax is how many batches of one item may be on their way to the queue at once.
	PublishesMax int
	// UserRate and UserBurst bound one user's purchases per second; a negative rate switches that off. UsersMax is how many
	// users are remembered for it.
	UserRate  float64
	UserBurst int
	UsersMax  int
	// BacklogAgeMax and BacklogDepthMax (messages) close admission while the workers are behind.
	BacklogAgeMax   time.Duration
	BacklogDepthMax int64
	// BrokerRest is how long after a failed publish nothing is tried on that shard.
	BrokerRest time.Duration
	// LookupsPerItem bounds the look-ups of each kind that wait for one item.
	LookupsPerItem int
	// WaitersMax bounds long polls, WaitMax the length of one.
	WaitersMax int
	WaitMax    time.Duration
	// CatalogReadsMax and GivenBackReadsMax bound the reads at once for items that are not cached and for replays of what
	// was given back.
	CatalogReadsMax   int
	GivenBackReadsMax int
	// RetryAfter is the least that a busy shopper is told to wait; up to as much again is added by chance.
	RetryAfter time.Duration
	// CallTimeout bounds one call to a store, ConfirmTimeout one publish.
	CallTimeout    time.Duration
	ConfirmTimeout time.Duration
	// DrainWithin bounds the drain at the end of Run.
	DrainWithin time.Duration
}

func (o Options) withDefaults() Options {
	orElse(&o.PendingMax, 16384)
	orElse(&o.PendingPerItem, 8192)
	orElse(&o.BatchMax, seckill.ReserveBatchMax)
	o.BatchMax = min(o.BatchMax, seckill.ReserveBatchMax)
	orElse(&o.PublishesMax, 8)
	orElse(&o.UserRate, 10)
	orElse(&o.UserBurst, 20)
	orElse(&o.UsersMax, 200_000)
	orElse(&o.BacklogAgeMax, 30*time.Second)
	orElse(&o.BacklogDepthMax, 20_000)
	orElse(&o.BrokerRest, time.Second)
	orElse(&o.LookupsPerItem, 8192)
	orElse(&o.WaitersMax, 10_000)
	orElse(&o.WaitMax, 30*time.Second)
	orElse(&o.CatalogReadsMax, 16)
	orElse(&o.GivenBackReadsMax, 16)
	orElse(&o.RetryAfter, time.Second)
	orElse(&o.CallTimeout, time.Second)
	orElse(&o.ConfirmTimeout, time.Second)
	orElse(&o.DrainWithin, 5*time.Second)
	return o
}

func orElse[T comparable](option *T, value T) {
	var zero T
	if *option == zero {
		*option = value
	}
}

func (p *Ports) check() error {
	for _, port := range []any{
		p.Lent, p.Publisher, p.Claims, p.Stocks, p.Catalog, p.Marks, p.Shards, p.IDs, p.Queue, p.Announcements, p.Clock,
	} {
		if port == nil {
			return errors.New("purchase: a port is missing")
		}
	}
	if p.Log == nil {
		p.Log = slog.New(slog.DiscardHandler)
	}
	if p.Random == nil {
		p.Random = rand.Float64
	}
	return nil
}

// busy refuses for a while that differs from shopper to shopper, so that they do not all come back at once.
func (s *Service) busy(detail string) *seckill.Refusal {
	wait := s.options.RetryAfter
	return seckill.BusyFor(wait+time.Duration(s.ports.Random()*float64(wait)), detail)
}
