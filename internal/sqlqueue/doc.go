// Package sqlqueue is the embedded durable queue: the tables queue and dead_letters in a SQLite file of its own. It fills
// the ports that RabbitMQ fills in the distributed mode and must not know sqlstore.
//
// # A file of its own
//
// SQLite has one writer per file. In sqlstore's file a publish, which the shopper waits for, would wait behind T1 and T2,
// which nobody waits for: orders that are made meanwhile would cost the shop a third of its purchases. Nothing needs the two
// in one transaction: a message leaves the queue after its claims are committed, and T1 knows what it meets twice.
//
// Older versions kept the queue in sqlstore's file (Config.Before). Open takes over what is there: it copies, and deletes
// once the copy is on disk. A crash in between repeats both, and then T1 meets a message twice. The copies have new tags:
// an old one may be another message's by now, where somebody went back to an older version for a while.
//
// # Writing
//
// All writes pass one goroutine, which puts whatever arrived while the last commit ran into the next transaction:
// messages as one INSERT, acknowledgements as one DELETE. Nothing is waited for, so a lone publish costs one commit and
// a crowd shares it. Publish returns nil after COMMIT, which is a promise because the file is opened with
// synchronous FULL. What fails before COMMIT certainly did not happen (seckill.ErrUnavailable); a COMMIT that fails, or
// a caller that stops waiting, leaves the outcome unknown.
//
// # Leases
//
// A lease lives in memory. The data folder is locked by one process, so a lease cannot outlive the process that knows
// it, and a restart voids all of them without a write. Leases as columns would cost the only writer a commit each time
// messages are handed out, and rewrite their bodies, for a value that nobody could ever read.
//
//	above the cursor --discover--> ready --hand--> leased --acknowledge--> deleted
//	                                 ^               |
//	                                 `-- lease over, subscription closed
//
// One goroutine per shard hands messages out. It knows the rows it has found (at most what subscriptions have room for)
// and a cursor: rows with higher tags are still to be found. A commit of this process wakes it; once a second it looks
// by itself, for leases that are over and for rows whose commit was reported as failed but was not.
//
// # Redelivery is counted
//
// A message that a consumer received and let its lease run out, or that was found at the start, is counted on disk
// before it is handed out again, and after Config.RedeliveriesMax times goes to the dead letters, so that a message
// which kills its worker cannot do so for ever. What only waited in a subscription's channel is not counted, and a
// subscription's Close counts nothing: a consumer that steps back during an outage of SQL, however often, brings no
// honest message nearer to the dead letters. One that holds on to a batch is counted once per lease, which takes over
// eight hours by default; and where this file is the one that fails, the count cannot be written and nothing is handed
// out either.
package sqlqueue
