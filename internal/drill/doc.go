// Package drill starts the real system on this machine, has a crowd buy from it without a break, breaks one part of it
// after the other, and proves in the end that every promise was kept. Package drill knows the system as its operators and
// shoppers do, and reads its books in the end; how a node is started and where the books are is passed in.
//
//	stage     the servers with a replica of Redis, each behind a path that can be cut, and the nodes; or the single binary
//	schedule  which fault comes when, by seed alone
//	nemesis   does it, heals it, and waits until the system has got over it: one at a time, or two with Config.Pairs
//	market    one sale after the other, each with a crowd for each item (package crowd, which judges its own shoppers)
//	probes    at each door, for each shard, somebody who buys one unit all the time: how long nobody could
//	ledger    every answer that anybody got, and every fault, a line of JSON each, while it goes on
//	verdict   the ledger against claims and orders, the audit, the provider's ledger against ours, recovery times against bars
//	campaign  what several drills add up to
//
// # When a fault counts
//
// Only if something shows that it was one: a process that ran is gone, connections were cut, replies lost, a log complains of a
// full disk. Others are named in the verdict, and neither counted nor measured.
//
// # When a fault is over
//
// When every probe has bought something that it asked for after the fault, one of these purchases is an order, and everything
// that probes had been promised before is. The first of these is the recovery time, the later of the first two where a process
// of ours was killed; it counts from the moment of the fault, or from when a server that was away was back. Only then comes the
// next fault, so that what was promised meanwhile must survive: a system that loses something under a single fault has no excuse.
//
// A drill fails when a promise was broken, when the median of a bar is above it, when several drills have tried too little, or
// when nobody waited until everything was at rest.
package drill
