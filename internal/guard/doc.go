// Package guard stands in front of the stores: every call gets a deadline, and a store that keeps failing is left alone
// for a moment instead of being waited for by everybody.
//
//	closed --failures in a row--> open --rest--> half-open --one success--> closed
//
// While a breaker is open its calls answer seckill.ErrUnavailable at once, which means what it always means: nothing was
// done. An answer is not a failure, however unwelcome: refusals, not_live, not_found, poison and lost races keep a breaker
// closed; only what never came back, or came back broken, counts. A caller who gave up proves nothing and is not counted.
// One breaker per store, per shard and per node of a Redis Cluster, so a dead one does not close the
// others.
//
// Lent, Publisher, Letters and Provider are decorators of their ports. The SQL ports have none: they are eight, a call to
// one of them goes to any shard, and what a driver's error says about the server only sqlstore knows; so sqlstore asks a
// Breaker itself where all its calls pass. There half-open is tried by a probe and not by somebody's call: what would be
// tried with may wait for a locked row, and tell nothing about the shard for seconds.
package guard
