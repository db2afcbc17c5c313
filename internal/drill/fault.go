package drill

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/seckill-dev/seckill/internal/testenv/fleet"
)

// fault is one way in which something breaks.
type fault struct {
	name    string
	victims []string
	// staple is how often it is in each deck; 0 means that it takes turns with others.
	staple int
	// It lasts something between these.
	shortest, longest time.Duration
	// bar is the recovery time that is promised for it; nil promises none.
	bar *bar
	// loses is what may have lost something; two such at a time are not promised to be survived. alone has no companion.
	loses string
	alone bool
	// strike does it and heals it.
	strike func(ctx context.Context, n *nemesis, a act) (blow, error)
}

// blow is a fault that was done.
type blow struct {
	// from is when the recovery begins to count.
	from time.Time
	// effect is what shows that something broke. Without any the fault has proven nothing.
	effect string
}

// bar is a promise about the median recovery time of some faults.
type bar struct {
	name string
	most time.Duration
	// orders says that purchases must become orders again, too.
	orders bool
}

// The names of servers, as fleets have them.
const (
	redis        = "redis"
	redisReplica = "redis-replica"
	rabbitmq     = "rabbitmq"
)

// bars are what is promised.
func bars() (process, stock, broker, shard *bar) {
	return &bar{name: "an api, worker or keeper is killed", most: 2 * time.Second, orders: true},
		&bar{name: "Redis is killed, wiped or failed over", most: 7 * time.Second},
		&bar{name: "the broker is back", most: 5 * time.Second},
		&bar{name: "a shard is back", most: 5 * time.Second}
}

// kindOf is what a member is one of: redis, rabbitmq, mariadb, api …
func kindOf(member string) string {
	kind, _, _ := strings.Cut(member, "-")
	return kind
}

// cast is whom faults can hit.
type cast struct {
	apis, workers, keepers, tills, shards []string
	// disks are the servers whose disk can be filled; hasQueues says that it is known which queues there are.
	disks     []string
	hasQueues bool
}

// castOf are the members of a fleet.
func castOf(f *fleet.Fleet) cast {
	names := func(role string) (names []string) {
		for _, node := range f.Nodes[role] {
			names = append(names, node.Name())
		}
		return names
	}
	return cast{
		apis: names(fleet.API), workers: names(fleet.Worker), keepers: names(fleet.Keeper), tills: names(fleet.Sandbox),
		shards: slices.DeleteFunc(f.Names(), func(name string) bool { return !fleet.IsShard(name) }),
	}
}

// nodes are the processes of ours.
func (c cast) nodes() []string { return slices.Concat(c.apis, c.workers, c.keepers, c.tills) }

// fleetFaults are those of a fleet. What is killed most is what much has to be proven of: in an hour 40 of each server at least.
func fleetFaults(c cast) []fault {
	process, stock, broker, shard := bars()
	faults := []fault{
		{name: "kill", victims: c.apis, staple: 3, bar: process, strike: killNode},
		{name: "kill", victims: c.workers, staple: 3, bar: process, strike: killNode},
		{name: "kill", victims: c.keepers, staple: 2, bar: process, strike: killNode},
		{name: "kill", victims: c.tills, staple: 1, strike: killNode},
		{name: "kill", victims: []string{redis}, staple: 2, longest: time.Second, bar: stock, loses: redis, strike: killRedis},
		{name: "kill", victims: []string{rabbitmq}, staple: 3, longest: time.Second, bar: broker, strike: killServer},
		{name: "kill", victims: c.shards, staple: 3, longest: 2 * time.Second, bar: shard, strike: killServer},
	}
	faults = append(faults, nodeFaults(c.nodes())...)
	faults = append(faults, redisFaults(stock)...)
	faults = append(faults, brokerFaults(broker, c.hasQueues)...)
	faults = append(faults, shardFaults(shard, c.shards)...)
	if len(c.disks) > 0 {
		faults = append(faults, diskFault(c.disks))
	}
	return append(faults, fault{name: "kill everything", alone: true, loses: redis, strike: killEverything})
}

// nodeFaults are what else happens to processes of ours.
func nodeFaults(nodes []string) []fault {
	return []fault{
		{name: "stop", victims: nodes, shortest: time.Second, longest: 5 * time.Second, strike: freeze},
		{name: "stop", victims: nodes, shortest: 12 * time.Second, longest: 14 * time.Second, strike: freeze},
		{name: "restart", victims: nodes, strike: restartNode},
	}
}

func redisFaults(stock *bar) []fault {
	victims := []string{redis}
	return []fault{
		{name: "wipe", victims: victims, bar: stock, loses: redis, strike: wipe},
		{name: "replace", victims: victims, bar: stock, loses: redis, strike: replaceRedis},
		{name: "fail over", victims: victims, bar: stock, loses: redis, strike: failOver},
		{name: "split", victims: victims, shortest: 200 * time.Millisecond, longest: time.Second, bar: stock, loses: redis, strike: split},
		{name: "stop", victims: victims, shortest: 2 * time.Second, longest: 6 * time.Second, loses: redis, strike: freeze},
		{name: "cut off", victims: victims, longest: 3 * time.Second, loses: redis, strike: cutOff},
		{name: "slow down", victims: victims, shortest: 3 * time.Second, longest: 5 * time.Second, strike: slowDown},
		{name: "lose replies of", victims: victims, shortest: time.Second, longest: 2 * time.Second, loses: redis, strike: loseReplies},
	}
}

func brokerFaults(back *bar, hasQueues bool) []fault {
	victims := []string{rabbitmq}
	faults := []fault{
		{name: "replace", victims: victims, bar: back, loses: rabbitmq, strike: replaceServer},
		{name: "stop", victims: victims, shortest: 2 * time.Second, longest: 6 * time.Second, bar: back, strike: freeze},
		{name: "cut off", victims: victims, longest: 3 * time.Second, bar: back, strike: cutOff},
		{name: "slow down", victims: victims, shortest: 3 * time.Second, longest: 5 * time.Second, strike: slowDown},
		{name: "lose replies of", victims: victims, shortest: time.Second, longest: 2 * time.Second, strike: loseReplies},
		{name: "block publishers of", victims: victims, shortest: 2 * time.Second, longest: 4 * time.Second, bar: back, strike: block},
	}
	if hasQueues {
		faults = append(faults, fault{name: "delete the queues of", victims: victims, bar: back, loses: rabbitmq, strike: deleteQueues})
	}
	return faults
}

func shardFaults(back *bar, shards []string) []fault {
	return []fault{
		{name: "stop", victims: shards, shortest: 2 * time.Second, longest: 8 * time.Second, bar: back, strike: freeze},
		{name: "cut off", victims: shards, longest: 3 * time.Second, bar: back, strike: cutOff},
		{name: "slow down", victims: shards, shortest: 3 * time.Second, longest: 5 * time.Second, strike: slowDown},
		{name: "lose replies of", victims: shards, shortest: time.Second, longest: 2 * time.Second, bar: back, strike: loseReplies},
		{name: "lose commits of", victims: shards, shortest: 2 * time.Second, longest: 4 * time.Second, bar: back, strike: loseCommits},
	}
}

// diskFault may lose what any of them has.
func diskFault(disks []string) fault {
	return fault{
		name: "fill the disk of", victims: disks, shortest: 2 * time.Second, longest: 4 * time.Second, loses: redis, strike: fillDisk,
	}
}

// singleFaults are those of the single binary.
func singleFaults() []fault {
	process, _, _, _ := bars()
	victims := []string{single}
	return []fault{
		{name: "kill", victims: victims, staple: 6, bar: process, strike: killNode},
		{name: "kill again and again", victims: victims, longest: 2 * time.Second, bar: process, strike: killAgain},
		{name: "stop", victims: victims, shortest: time.Second, longest: 6 * time.Second, strike: freeze},
		{name: "stop", victims: victims, shortest: 12 * time.Second, longest: 14 * time.Second, strike: freeze},
		{name: "restart", victims: victims, strike: restartNode},
	}
}

// single is the only member of the single binary's fleet.
const single = fleet.Up + "-0"
