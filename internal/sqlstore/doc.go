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
// Reads go through gorm models; the hot batches (claims, orders, marks) are hand-written multi-row statements. What one
// database says differently from another is in dialect.go, so that a second dialect touches one file.
//
// All times are Unix milliseconds of the database's clock, written by the statement itself wherever a deadline is
// judged by them.
package sqlstore
