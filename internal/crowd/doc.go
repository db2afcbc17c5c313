// Package crowd plays shoppers against a running system, from outside, and keeps a ledger of every answer. When the rush
// is over it asks each shopper's orders and says whether the system kept its promises. It knows the HTTP contract and
// nothing else of the system; who mints tokens is passed in.
//
//	prepare   a token per shopper: minted, or by registering and logging in
//	buy       everybody at the opening: same key again, new keys, no key, quantities from 1 to the limit;
//	          and, with a mix, what each does about the orders
//	await     long-poll every reservation that was answered `queued` until it is decided
//	finish    wait for the end of orders that nobody pays (with a mix)
//	compare   each shopper's orders with the shopper's ledger
//	judge     orders against the provider's ledger and the allotment, and the operators' audit
//
// # After the click
//
// A shopper plays one part, drawn from the mix by seed and number alone:
//
//	pay       pays within a moment, and waits until the order is paid
//	abandon   does nothing; the order must be cancelled soon after its deadline (Config.CloseWithin)
//	cancel    cancels, and asks once more with the same key, which must go on naming the same reservation
//	late      begins to pay in time, and gives the money when it is too late: it must come back
//	twice     is charged twice: one charge stands, the other comes back
//	again     cancels, buys once more, and pays
//
// Whoever was too late stands in line: units come back. One looks into the shop window for all of them; each also tries
// unasked now and then. An order that timed out on a shopper who meant to pay is the truth, too, if its deadline had passed.
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
// the limit; more than the allotment. After the click: a status that cannot follow an earlier one; a cancel in time that is
// refused; an order that is cancelled early, or long after its deadline not yet; one that is paid by nobody or too late;
// whoever holds nothing being told limit_reached on and on; a paid order without exactly one charge of its amount at the
// provider; any other charge that was not given back, once and whole. A rejection after `queued` is explicit and counted apart; it is a broken promise too,
// unless Config.AllowRejected says that faults are played which permit it. A run in which nobody was served proves nothing
// and fails.
package crowd
