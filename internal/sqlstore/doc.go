// Package sqlstore keeps everything that must be true after a crash: catalog, accounts, stock, claims, orders, what is
// paid on them, marks, the outbox of owed steps, and the leases of the id generator. It fills the domain's SQL ports and
// nothing else: it decides by conditional updates and affected rows, and retries nothing by itself.
//
//	Store                 the shards, opened once; every port below is a view of it
//	  Catalog, Accounts   shard 0
//	  Stocks, Claims      the item's home shard; Stocks are the returns and adjustments, too
//	  Orders, Payments    the user's shard, 16 tables of orders each
//	  Marks, Owing        every shard
//	  Events              every shard
//	  Books               all of them, read only
//	IDs                   makes ids under a leased node number (nodes, shard 0)
//
// Reads go through gorm models; the hot batches (claims, orders, marks) are hand-written multi-row statements, those of
// settling without parameters on servers, and with statements that the connection keeps on SQLite (rows.go). A shard is an
// SQLite file or a database on a server (MySQL, MariaDB, TiDB, Vitess). What these say differently is a dialect
// (dialect*.go); what their errors mean is in errors.go:
//
//	seckill.ErrTransient  nothing was written: the server or the way to it is to blame, a deadlock, or the guard; then it
//	                      is seckill.ErrUnavailable too
//	errUnknownCommit      the answer to a COMMIT was lost. Calls that do no more when repeated (Settle, Reject, Return,
//	                      Adjust, Place, MarkOrdered, Beat, Done, Spread, Told, all of Payments) turn it into ErrTransient;
//	                      all others return it as it is, since their answer says who decided
//	seckill.ErrPoison     a claim's or an order's own data is refused by a CHECK, a length or a type
//
// Every call of a port passes Store.call and there the shard's Guard, which app gives (call.go): a deadline for callers
// that have none, and a breaker, so that a dead shard answers fast instead of using up connections. What a server says is
// an answer, also when it says that a row is locked or the data bad; only silence counts. Verify, Check and Ping go past
// the guard: they are what decides whether a shard may be used, at the start or when it is back. Open connects to nothing.
//
// On a server whatever writes is a READ COMMITTED transaction that locks the stock rows first, in id order, or the row of
// an order before anything that belongs to it. Settling at once (settle_once.go) writes orders before it locks stock rows,
// and nobody does it the other way round. A process that is stopped in the middle of one keeps its locks until the
// server has not heard of it for ten seconds (wait_timeout, which holds inside transactions on MySQL and MariaDB alike;
// trap 19); others wait for a row for three at a time. A COMMIT hears of no deadline: the writers' network timeout bounds
// it.
//
// On SQLite there is one writer, and transactions that come while it commits share the next commit (sqlite_group.go).
//
// What a read shows is on disk: whoever reads may act on it on another shard and delete the row that told him to. SQLite syncs
// before it shows, TiDB as well, InnoDB only under a binary log that is synced at each commit; so that is asked for
// (mysql_doubts.go). The alternative, a write of one's own before each act on what was read, is easily forgotten once.
//
// Reads go to the primary unless they use Store.lagging, which only lists do that nobody decides on and no shopper is
// shown: a replica must never show anybody less than he was told. What shoppers see of the catalog comes from memory
// (purchase), so that replicas would save nothing there.
//
// All times are Unix milliseconds of the database's clock, written by the statement itself wherever a deadline is
// judged by them.
package sqlstore
