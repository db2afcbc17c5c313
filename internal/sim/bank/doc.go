// Package bank is a payment provider as a model, for the simulator: the port seckill.Provider in plain maps. It behaves as
// internal/sandbox does: a payment has one session, whose name may never reach us, and a charge goes back once.
//
//	open --paid--> paid
//	 |`--- deadline --> expired        money arrives on an open session, and on no other: except Late, as real providers
//	 `---- Close -----> closed         take it in races
//
// # Paying
//
// Somebody who pays is told to by Pay: rightly, twice, a wrong amount, in a wrong currency, or late.
//
// # Notices
//
// Every charge is a notice that waits to be told. The simulator reads any of them, as often as it likes, and drops it when
// the shop has answered, or never: so they come late, out of order, doubled and not at all.
package bank
