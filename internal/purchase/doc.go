// Package purchase is the use case "buy": it takes a shopper from the click to an answer that stays true, and tells
// later what became of it. It moves no units itself: Redis (seckill.Lent) decides, the queue carries, SQL owns.
//
//	Buy ── gate: input, rate, local state, heartbeat, queue ──> refusal, without I/O
//	  │
//	  ├─ (key and a local refusal) one batched look ──> refusal, or go on: it is a replay
//	  v
//	group commit per item: ONE Lua call for what arrived meanwhile     t0 before the call; its `sold` becomes a mark
//	  │  lost reply: once more, same reservation ids, new batch, new t0; then unknown_outcome
//	  v
//	ONE confirmed publish per batch, beside the next Lua call          not confirmed: unknown_outcome, the relay delivers
//	  v
//	queued, if now - t0 <= 2 s                                         else unknown_outcome
//
// What must stay true:
//
//   - `queued` is answered only for a message that is durable, inside the accept window, by a process whose heartbeat on
//     the item's home shard began less than 10 s ago. All three are what the counted drain of a sealed epoch relies on.
//   - busy says that nothing was taken by this request; whatever may have been taken is unknown_outcome.
//   - A look-up says queued of nothing that only Redis has: an unsent batch is lost with it. It waits for `sent`, then says
//     busy. (The design would answer queued; a broker that restarts while Redis is lost then breaks that word.)
//   - A retry with an Idempotency-Key never hears a local refusal for a unit it holds: not while the queue is away, either.
//   - No stock is touched for a shard whose queue is known to be away: that is asked (without I/O) before every Lua call.
//   - A refusal costs no SQL, and none of the local ones costs a Redis call.
//   - No call to a store uses a shopper's context: one impatient shopper must not cancel the purchase of 255 others.
//
// Order of the checks: what is final for the shopper (ended, paused, sold out …) is judged before what is passing
// (heartbeat, breaker, backlog), so that a crowd before an empty shelf goes home instead of retrying.
package purchase
