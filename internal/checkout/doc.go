// Package checkout is the use case of whoever has an order: read it, pay it, cancel it; and of the payment providers, who
// tell what was paid. It moves no units and no money: every change is one transaction of seckill.Payments, what is to follow
// (units, refunds) is owed by it and done by keepers, and the money is the provider's.
//
//	Pay ── find, judge ──> Begin: our row first ──> Provider.Open, by our id ──> Opened: its name and where to pay
//	                          |                        `-- lost or refused: the row stays, Pay again continues it
//	                          |-- not unpaid any more, or too late: conflict, with the order as it is
//	                          `-- the one there is is over at its provider: close it there, then begin another
//
//	Receive ── Provider.Read ──> Record each charge: it pays the order, or its refund is owed
//
// What must stay true:
//
//   - The row is written before the provider hears of the payment, so nothing is paid that we have no row for; and the
//     payment's id is the provider's key, so that opening it again finds the same one.
//   - Whatever is asked of the provider is the same on every try, the title included: a provider that has seen the key
//     refuses other words. So a catalog that is away means busy, not a payment without title.
//   - Money that arrived is recorded whatever became of the order. Who sends a notice hears of success only after that; until
//     then he is to send it again.
//   - Somebody else's order does not exist, in the same words as one that never was.
//   - Neither secrets nor a notice's body are logged.
package checkout
