// Package sqlstore keeps everything that must be true after a crash: catalog, accounts, stock, claims, orders, marks,
// the outbox of owed steps, and the leases of the id generator. It fills the domain's SQL ports and nothing else: it
// decides by conditional updates and affected rows, and retries nothing by itself.
//
//	Store                 the shards, opened once; every port below is a view of it
//	  Catalog, Accounts   shard 0
//	  Stocks, Claims      the item's home shard
//	  Orders              the user's shard, 16 tables each
//	  Marks, Owing        every shard
//	  Books               all of them, read only
//	IDs                   makes ids under a leased node number (nodes, shard 0)
//
// Reads go through gorm models; the hot batches (claims, orders, marks) are hand-written multi-row statements. A shard is an
// SQLite file or a database on a server (MySQL, MariaDB, TiDB, Vitess). What these say differently is a dialect
// (dialect*.go); what their errors mean is in errors.go:
//
//	seckill.ErrTransient  nothing was written: the server or the way to it is to blame, or a deadlock
//	errUnknownCommit      the answer to a COMMIT was lost. Calls that do no more when repeated (Settle, Reject, Place,
//	                      MarkOrdered, Beat, Done) turn it into ErrTransient; all others return it as it is, since
//	                      their answer says who decided
//	seckill.ErrPoison     a claim's or an order's own data is refused by a CHECK, a length or a type
//
// On a server whatever writes is a READ COMMITTED transaction that locks the stock rows first, in id order. Reads go to
// the primary unless they use Store.lagging, which only lists do that nobody decides on and no shopper is shown: a
// replica must never show anybody less than he was told.
//
// All times are Unix milliseconds of the database's clock, written by the statement itself wherever a deadline is
// judged by them.
package sqlstore
