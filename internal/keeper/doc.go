// Package keeper holds the background jobs, each a RunOnce that any number of processes may run at once.
//
//	Renew    prolongs the gates and carries pause, window and limit to Redis; while it is cut off, selling stops by itself
//	Clock    starts and ends sales by the database's clock, and asks for the last seal of ended ones
//	Begin    finishes preloads whose call died or met a shard that was away
//	Recover  notices that an epoch was lost, seals it, drains it and loads the next one (design 8)
//	Relay    publishes what Redis still owes the queue
//	Issue    lends what has come back to the pool
//	Owed     sets the buyers' entries that settling owes to Redis
//	Expire   cancels the orders whose deadline has passed
//	Close    sees to it that nothing more is paid on cancelled orders
//	Return   gives their units back, once that is certain
//	Refund   gives back the money that must not stand
//	Spread   addresses events to the endpoints that the shop is told by
//	Tell     tells one of these endpoints
//
// No job holds a lock, and only Tell a lease, so that not every keeper tells everything: each step is a conditional update
// that somebody else may already have made, and "false" means "read again next time". A job that dies between two steps
// leaves a row that says where to go on.
package keeper
