// Package redis keeps the lent units of every item in Redis: the ports seckill.Lent and seckill.Announcements.
//
// Every step is one Lua script (lua/*.lua; each begins with its keys, arguments, replies and promises). The Go side
// builds keys and arguments, reads the reply and decides nothing. Only this package knows go-redis.
//
// # Keys
//
// All keys of an item share the hash tag {item}, so that a script finds them on one node of a cluster; keys.go is the
// only place that spells them.
//
//	meta       hash    epoch avail sold issue opens closes limit state(closed|open) paused version; times in Redis ms
//	buyers     hash    user -> rid,quantity,keyhash,batch;…  quantity 0: given back, batch empty: loaded from SQL
//	bodies     hash    batch -> exact message            \
//	unsent     zset    batch by Redis ms                  } the outbox
//	unsettled  zset    batch by Redis ms                  |
//	tries      hash    batch -> how often `due` gave it  /  begins anew when the batch is sent
//	gate       string  epoch run_id replid until; not replicated, not in the append-only file
//	buyers:E:attempt   what a load has brought so far
//
// # Failures
//
// A call that certainly did nothing wraps seckill.ErrUnavailable; every other transport error leaves the outcome
// unknown. go-redis retries lost replies by default, which would hide that, so its retries are off; redirections inside
// a cluster, where nothing was done, are followed.
//
// # What ends a gate
//
// A restart, a promotion and the loss of data, as intended; also the first replica that is ever attached to a server, and
// the first one after an hour without any, because Redis then begins a new replication history. That costs a rebuild of
// every item, never a unit. Further replicas and rewrites of the append-only file do not matter.
//
// # Cluster
//
// The whole contract holds on a Redis Cluster. Reading many states and renewing many gates goes out to each node by itself,
// so that a node which is away costs its own items their gates and delays nobody else; its place is looked for again
// at once, not once a minute. Keep cluster-require-full-coverage off: with it on, as it is by default, one master that is
// gone without a replica closes all items and not a part of them.
//
// # Names
//
// INFO, which says who a server is, costs as much as the rest of a reading. States asks it once in front of each node's share
// of a pipeline and once behind, not for each item: a master never takes an earlier pair of run_id and master_replid, so one name
// on both sides was the name of every reading in between. Of a server that was renamed meanwhile nothing is believed.
//
// # Start
//
// Check asks every master by INFO what a sale relies on: maxmemory-policy noeviction, the append-only file, the role of a
// master, version 7 or later. None of it can cost a unit, only an epoch: so it refuses the start of a process in
// production, and does not stop one that sells.
//
// # Outbox
//
// Pages of Outbox are the unsent batches, then the others, each oldest first; merging both sets by age would read
// everything for every page. Batches that are sent or settled between two pages shift the rest: who needs all of them
// reads the first page again until nothing of it is left to do.
//
// # Embedded
//
// OpenEmbedded runs miniredis inside the process. It cannot tell who it is (INFO), so Options.FixedIdentity names it;
// the comparison in the scripts is then between equal names and always holds.
package redis
