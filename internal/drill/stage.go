package drill

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/seckill-dev/seckill/internal/adminclient"
	"github.com/seckill-dev/seckill/internal/testenv/fleet"
	"github.com/seckill-dev/seckill/internal/testenv/proxy"
	"github.com/seckill-dev/seckill/internal/testenv/server"
)

// stage is the system that is played, with everything that can be broken about it.
type stage struct {
	fleet *fleet.Fleet
	// paths lead the nodes to the servers, by their names.
	paths map[string]*proxy.Proxy
	redis *pair
	disks map[string]*disk // small ones of servers, where there are any
	keys  Keys

	doors []door
	desks []*adminclient.Client // an operator at each of them
	till  string                // the payment provider's address
	notes []string              // what could not be set up
}

// door is where shoppers are served.
type door struct{ name, url string }

// pair is a Redis and its replica. Who is which changes.
type pair struct {
	primary, replica *server.Redis
	// names are those of their folders, in that order.
	names [2]string
}

// turn makes the replica, which is promoted, the primary, and what was that its replica: it has lost everything.
func (p *pair) turn(ctx context.Context) error {
	p.primary, p.replica = p.replica, p.primary
	p.names[0], p.names[1] = p.names[1], p.names[0]
	if err := p.replica.RestartEmpty(ctx); err != nil {
		return err
	}
	return p.replica.ReplicaOf(ctx, p.primary.Addr())
}

// restarting is a server.
type restarting interface {
	fleet.Member
	RestartEmpty(ctx context.Context) error
}

// fleetSettings are those of the nodes. Their logs are for whoever reads them after a broken promise.
const fleetSettings = "log: {level: warn}\nlimits: {per_user_per_second: 100, per_user_burst: 200}"

// openFleet starts servers and nodes.
func openFleet(ctx context.Context, config Config, notice func(name, what string)) (s *stage, err error) {
	s = &stage{paths: make(map[string]*proxy.Proxy), disks: make(map[string]*disk)}
	defer func() {
		if err != nil {
			s.close(ctx)
		}
	}()
	folder := filepath.Join(config.Dir, systemName)
	s.openDisks(folder, config.Lasts)
	s.fleet, err = fleet.Open(ctx, fleet.Config{
		Dir: folder, Sandbox: true, Settings: fleetSettings, Command: config.System.Command, Notice: notice,
		Path: func(name, address string) (string, error) { return s.openPath(ctx, name, address) },
	})
	if err != nil {
		return s, err
	}
	replica, err := server.OpenReplica(ctx, server.Options{Dir: filepath.Join(folder, redisReplica)}, s.fleet.Redis.Addr())
	if err != nil {
		return s, err
	}
	s.redis = &pair{s.fleet.Redis, replica, [2]string{redis, redisReplica}}
	if err := config.System.Migrate(ctx, s.fleet.File()); err != nil {
		return s, err
	}
	s.till = "http://" + s.fleet.Nodes[fleet.Sandbox][0].Addr()
	return s, s.launch(ctx, config, fleet.API)
}

// A small disk has room for what a server writes in a drill, and memory is taken for what is written only.
const (
	diskLeast      = 128 // megabytes
	diskEachMinute = 16
)

// openDisks gives servers small disks for their data. Their logs are elsewhere, so that they can say what is wrong.
func (s *stage) openDisks(folder string, lasts time.Duration) {
	for _, name := range []string{redis, redisReplica, rabbitmq} {
		small, err := openDisk(filepath.Join(folder, name, "data"), diskLeast+diskEachMinute*int64(lasts.Minutes()))
		if err != nil {
			s.notes = append(s.notes, "no disk is filled: "+err.Error())
			return
		}
		s.disks[name] = small
	}
}

// disk is the one of a server, and what it says from now on.
func (s *stage) disk(name string) (*disk, follower, error) {
	var log string
	switch name {
	case redis:
		name, log = s.redis.names[0], s.redis.primary.Log()
	case rabbitmq:
		log = s.fleet.RabbitMQ.Log()
	}
	small, found := s.disks[name]
	if !found {
		return nil, follower{}, fmt.Errorf("%s has no small disk", name)
	}
	return small, follow(log), nil
}

// openPath puts a path between the nodes and a server.
func (s *stage) openPath(ctx context.Context, name, address string) (string, error) {
	port, err := server.FreePort()
	if err != nil {
		return "", err
	}
	path, err := proxy.Open(ctx, net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), address)
	if err != nil {
		return "", err
	}
	s.paths[name] = path
	return path.Addr(), nil
}

// openSingle starts the single binary.
func openSingle(ctx context.Context, config Config, notice func(name, what string)) (s *stage, err error) {
	s = &stage{}
	defer func() {
		if err != nil {
			s.close(ctx)
		}
	}()
	port, err := server.FreePort()
	if err != nil {
		return s, err
	}
	till := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	s.till = "http://" + till
	s.fleet, err = fleet.OpenSingle(fleet.Config{
		Dir: filepath.Join(config.Dir, systemName), Command: config.System.Command, Notice: notice,
		Settings: fleetSettings + fmt.Sprintf("\npayments: {provider: sandbox, sandbox: {listen: %q}}", till),
	})
	if err != nil {
		return s, err
	}
	return s, s.launch(ctx, config, fleet.Up)
}

// launch starts the nodes and learns what is needed to speak to those that have doors.
func (s *stage) launch(ctx context.Context, config Config, doors string) error {
	s.fleet.Launch()
	ready, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	if err := s.fleet.AwaitReady(ready); err != nil {
		return err
	}
	var err error
	if s.keys, err = config.System.Enter(s.fleet.File()); err != nil {
		return err
	}
	for _, node := range s.fleet.Nodes[doors] {
		s.doors = append(s.doors, door{node.Name(), "http://" + node.Listen})
		desk, err := adminclient.New("http://"+node.Admin, s.keys.Operator, nil)
		if err != nil {
			return err
		}
		s.desks = append(s.desks, desk)
	}
	return nil
}

// faults are those that are wanted, as far as they can be done here.
func (s *stage) faults(config Config) []fault {
	if config.Embedded {
		return chosen(singleFaults(), config.Faults)
	}
	who := castOf(s.fleet)
	who.hasQueues = len(s.keys.Queues) > 0
	if len(s.disks) > 0 {
		who.disks = []string{redis, rabbitmq}
	}
	return chosen(fleetFaults(who), config.Faults)
}

// names are the members that can be killed.
func (s *stage) names() []string { return s.fleet.Names() }

func (s *stage) member(name string) (fleet.Member, error) {
	switch {
	case s.redis != nil && name == redis:
		return s.redis.primary, nil
	case s.redis != nil && name == redisReplica:
		return s.redis.replica, nil
	default:
		return s.fleet.Member(name)
	}
}

func (s *stage) server(name string) (restarting, error) {
	member, err := s.member(name)
	if err != nil {
		return nil, err
	}
	found, ok := member.(restarting)
	if !ok {
		return nil, fmt.Errorf("%s is no server", name)
	}
	return found, nil
}

// mend heals every path and starts the servers that are away. Nodes are started by the fleet.
func (s *stage) mend(ctx context.Context) error {
	var failures []error
	for _, small := range s.disks {
		failures = append(failures, small.free())
	}
	for _, path := range s.paths {
		path.Heal()
	}
	var reviving sync.WaitGroup
	names := slices.Sorted(maps.Keys(s.paths)) // each server has one, but for the replica
	if s.redis != nil {
		names = append(names, redisReplica)
	}
	revived := make([]error, len(names))
	for i, name := range names {
		reviving.Go(func() { revived[i] = s.revive(ctx, name) })
	}
	reviving.Wait()
	return errors.Join(append(failures, revived...)...)
}

func (s *stage) revive(ctx context.Context, name string) error {
	member, err := s.member(name)
	if err == nil && !member.IsUp() {
		err = member.Restart(ctx)
	}
	if err != nil {
		return fmt.Errorf("bring back %s: %w", name, err)
	}
	return nil
}

// close ends everything, nodes in an orderly way while ctx lasts.
func (s *stage) close(ctx context.Context) {
	if s.fleet != nil {
		s.fleet.Shutdown(ctx)
	}
	if s.redis != nil {
		s.redis.primary.Close()
		s.redis.replica.Close()
	}
	for _, path := range s.paths {
		path.Close()
	}
	for _, small := range s.disks {
		small.close()
	}
}
