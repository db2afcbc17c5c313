package lent

import (
	"fmt"
	"sync"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Redis is two servers, of which one is the primary. Safe for concurrent use.
type Redis struct {
	// Between is called between two scripts of one call, where others may come in; an error ends the call there. nil is
	// nothing. Mistakes are left in the scripts. Both are set before the first call.
	Between  func(what string) error
	Mistakes Mistakes

	clock seckill.Clock

	mu             sync.Mutex
	primary, other *Server
	down           bool
	named          int
	listeners      []*listener
}

// New is an empty Redis whose time is the clock's.
func New(clock seckill.Clock) *Redis {
	r := &Redis{clock: clock}
	replication := r.name("replication")
	r.primary = &Server{redis: r, runID: r.name("run"), replicationID: replication, base: dataset{}, data: dataset{}}
	r.other = &Server{redis: r, runID: r.name("run"), replicationID: replication, base: dataset{}, data: dataset{}}
	return r
}

// name makes names that are never used again.
func (r *Redis) name(of string) string {
	r.named++
	return fmt.Sprintf("%s%d", of, r.named)
}

// Server is one process: who it is, its clock, what it holds and how that came about.
type Server struct {
	redis                *Redis
	runID, replicationID string
	ahead                time.Duration // of the simulator's clock
	base                 dataset       // what there was before the log
	log                  []logged
	data                 dataset
}

// logged is one call that wrote something, to be run again on a copy of the data.
type logged func(dataset)

// logMax bounds the log: what is older has reached everybody.
const logMax = 4096

func (s *Server) write(l logged) {
	s.log = append(s.log, l)
	if len(s.log) > logMax {
		const half = logMax / 2
		replay(s.base, s.log[:half])
		s.log = append(s.log[:0], s.log[half:]...)
	}
}

func replay(d dataset, log []logged) {
	for _, l := range log {
		l(d)
	}
}

// before is the data as it was without the last writes, gates included.
func (s *Server) before(lose int) dataset {
	d := s.base.clone()
	replay(d, s.log[:max(0, len(s.log)-lose)])
	return d
}

// become gives the server other data; its past is nobody's business any more.
func (s *Server) become(d dataset) {
	s.base, s.log, s.data = d, nil, d.clone()
}

// moment is when and where a script runs.
type moment struct {
	micros, milli int64
	server        seckill.Server
	mistakes      Mistakes
}

func (s *Server) moment() moment {
	micros := s.redis.clock.Now().Add(s.ahead).UnixMicro()
	return moment{
		micros: micros, milli: micros / 1000, mistakes: s.redis.Mistakes,
		server: seckill.Server{Now: time.UnixMicro(micros).UTC(), RunID: s.runID, ReplicationID: s.replicationID},
	}
}
