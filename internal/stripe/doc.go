// Package stripe is the payment provider Stripe: one Checkout Session for each payment, through the official library. Only
// this package knows that library.
//
// # Sessions
//
// The payment's id is the idempotency key, the client reference and in the metadata. A session asks for cards alone (with
// the wallets on top of them), because other means decide days later, and it is priced in the order's currency, whatever
// the account's settings say.
//
// Stripe lets no session end within 30 minutes of its making, and orders are often due sooner. So a session is made to
// outlive its payment by a little more than that, and it is Close that ends it on time; money that comes between the
// deadline and Close is a late charge like any other and goes back. No session lives longer than a day, so no payment
// does (Lives): the shopper of an order that is payable for longer comes back and is given another one, after the old one
// was closed.
//
// # What we were not told
//
// A lost answer is asked for again with the same key, and Stripe answers what it did the first time, for a day. It refuses
// the key for a request that differs; since titles can be corrected, and Close knows none, that happens. It means that
// the session exists, and it is found in the list of sessions by its reference. Where there is none, Close makes one and
// ends it at once: an Open that is still on its way then finds its key taken.
//
// What Stripe did the first time may be a failure, which it repeats under that key for a day, too. If no session is in the
// list then, none was made, and none will be: the payment is over (seckill.ErrOver), and another one has another key. What
// Stripe refuses as a request, because of its amount, say, can neither be opened nor has to be closed.
//
// # Money
//
// Amounts are those of ISO 4217 but for the króna, which Stripe counts in hundredths; MGA and UGX are refused. A charge is called by its payment intent. Refunds give all of it back; done is what Stripe calls succeeded and what it
// has no more money of, not what is pending. Each try has a key of its own, because a refused one would be refused again
// under its key for a day; Stripe gives no more back than it took.
//
// # Setting up
//
// The webhook needs checkout.session.completed and checkout.session.async_payment_succeeded. Events of sessions that are
// not ours, of another shop on the same account, tell of nothing.
package stripe
