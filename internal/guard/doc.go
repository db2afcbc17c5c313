// Package guard stands in front of the stores: every call gets a deadline, and a store that keeps failing is left alone
// for a moment instead of being waited for by everybody.
//
//	closed --failures in a row--> open --rest--> half-open --one success--> closed
//
// While a breaker is open its calls answer seckill.ErrUnavailable at once, which means what it always means: nothing was
// done. An answer is not a failure, however unwelcome: refusals, not_live, not_found, poison and lost races keep a breaker
// closed; only what never came back, or came back broken, counts. One breaker per store, per shard and
// per node of a Redis Cluster, so a dead one does not close the others.
package guard
