// Package ledger is SQL as a model: every shard of a system in plain maps and structs, for the simulator. It fills the same
// ports as sqlstore and passes the same suites (internal/contract), at a cost that lets a hundred thousand schedules run in
// minutes. Only tests may import it.
//
//	Ledger                     the shards; every port below is a view of it
//	  Catalog                  shard 0
//	  Stocks, Claims           the item's home shard; Stocks are the returns and adjustments, too
//	  Orders, Payments         the user's shard
//	  Marks, Owing, Events     every shard
//	  Books                    all of them, read only
//	IDs                        makes ids as one process does
//
// A transaction is a function under the ledger's mutex that first decides on copies and asks every guard (CHECKs, unique
// keys, versions), and then changes the rows, which cannot fail any more: so it is atomic without ever rolling back. What
// takes several transactions in sqlstore calls Between where another caller may come in.
//
// The model knows no faults but two, because only it knows which shards a call touches and where it could be torn: a shard
// that is away (SetAway), and an error from Between, which ends the call there. That an answer is lost after the commit, or a
// call fails before anything was done, is for whoever wraps the ports. sqlstore calls a lost answer to a COMMIT
// seckill.ErrTransient in all calls that do no more when repeated: Settle, Reject, Return, Adjust, Place, MarkOrdered, Beat,
// Done, Spread, Told, Renew, Retire, GiveUp and all of Payments; elsewhere it is an error of no kind.
//
// What the real thing has and this has not: deadlocks, waits for locks, replicas, statements cut into portions (what comes
// in one call stands or falls as one), leases of node numbers.
package ledger
