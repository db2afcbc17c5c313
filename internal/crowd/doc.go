// Package crowd plays shoppers against a running system, from outside, and keeps a ledger of every answer. When the rush
// is over it asks each shopper's orders and says whether the system kept its promises. It knows the HTTP contract and
// nothing else of the system; who mints tokens is passed in.
//
//	prepare   a token per shopper: minted, or by registering and logging in
//	buy       everybody at the opening: same key again, new keys, no key, quantities from 1 to the limit
//	await     long-poll every reservation that was answered `queued` until it is decided
//	compare   each shopper's orders with the shopper's ledger
//	judge     orders against the allotment, and the operators' audit
//
// # A polite client
//
// A shopper waits as long as Retry-After says, repeats a purchase with the same key after a lost answer or
// `unknown_outcome`, and looks the reservation up when there is no key. While the server cannot be reached at all one probe
// knocks for everybody. A phase is given up only when nobody got anywhere for a while (Config.Patience).
//
// # What counts as a broken promise
//
// A `queued` reservation without its one order; an order that nobody was promised and that no lost answer explains; two
// orders for one key; another reservation, or a refusal, for a key that holds one; `sold_out` with enough left; more than
// the limit; more than the allotment. A rejection after `queued` is explicit and counted apart; it is a broken promise too,
// unless Config.AllowRejected says that faults are played which permit it. A run in which nobody was served proves nothing
// and fails.
package crowd
