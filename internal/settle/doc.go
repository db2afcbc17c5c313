// Package settle turns queued batches into claims and orders.
//
//	gather  <= 1000 reservations of one home shard's queue: what comes in 5 ms, or while other batches are under way
//	T1      claims and stock, one transaction on the home shard; four at once, which wait for each other at the stock row
//	        and with it T2 of that shard's own users, if every reservation is new and held, as almost always
//	then    ack, in the order of the deliveries; `settled` and what was decided told to Redis, beside everything else
//	T2      of all others: orders on the users' shards; then the claims are marked ordered and the decision is announced
//
// A message is acknowledged after T1 and never before. T2 runs beside T1 of the next batches and blocks nobody: what it
// cannot finish is left to the Completer, which finds held claims without an order. The Completer stands here and not among
// the keeper's jobs, because it is T2 once more.
//
// T1 with T2 costs half of one after the other: one commit, and no claim is changed after it was written. That is most of a
// worker's time, so it comes first and everything else is the exception: a batch in which SQL finds anything but new
// reservations that it can hold (delivered before, over the limit, sold out, an id or a key that is taken) is rolled back and
// settled in two steps. So is one whose terms the catalog does not tell in time, for claims wait for no catalog. Nothing is
// waited for to make batches larger: the fuller the machine, the larger they are.
//
// A failing database stops the consumer where it stands, with backoff; messages are not given back, so nothing loops
// through the queue. Only what SQL certainly refuses (seckill.ErrPoison) is taken apart and rejected one by one.
package settle
