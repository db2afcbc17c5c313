// Package lent is Redis as a model: the ports seckill.Lent and seckill.Announcements in plain maps, for the simulator.
//
// Each method of Client does what the script of the same name in internal/redis/lua does, in one step under one lock;
// the suites of internal/contract hold it to that, and random streams of commands are answered alike by it, by a real
// Redis and by miniredis.
//
// # Servers
//
// A Redis is two servers. One is the primary; the other stands by, or is a former primary that somebody still talks to.
// A server has a dataset and the log of the calls that made it. Calls are deterministic, so a replica that lags, or an
// append-only file that was cut short, is the log without its end, run again: that is what Failover and Restart do.
// Gates are in no log (the scripts write them with REPL_NONE), but a full sync, a snapshot and a rewrite of the
// append-only file copy them, which both can do, too.
//
// # Clients
//
// Every actor has a Client of its own. It talks to the primary of the moment, unless it is pinned to the server that was
// the primary when Pin was called: the rest of the world has failed over, and it has not noticed.
//
// # Mistakes
//
// Mistakes leaves single guards of the scripts out, so that it can be shown that the simulator would notice.
package lent
