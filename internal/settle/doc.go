// Package settle turns queued batches into claims and orders.
//
//	gather  <= 500 reservations or 5 ms of one home shard's queue
//	T1      claims and stock, one transaction on the home shard; then ack, and `settled` in Redis
//	T2      orders on the users' shards; then the claims are marked ordered and the decision is announced
//
// A message is acknowledged after T1 and never before. T2 of one batch runs beside T1 of the next and blocks nobody:
// what it cannot finish is left to the Completer, which finds held claims without an order. The Completer stands here and
// not among the keeper's jobs, because it is T2 once more.
//
// A failing database stops the consumer where it stands, with backoff; messages are not given back, so nothing loops
// through the queue. Only what SQL certainly refuses (seckill.ErrPoison) is taken apart and rejected one by one.
package settle
