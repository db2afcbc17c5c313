// Package sim runs the real use cases through schedules full of faults, and checks what the design promises (section 1).
// Only tests may import it.
//
//	purchase, checkout, settle, keeper, operate     as they are
//	ports of this package                           every call stops here
//	lent, ledger, broker, bank, shop                models: plain Go, one call at a time
//
// # One schedule
//
// A schedule is what becomes of a seed, and of nothing else. The seed draws a plan: how large the world is (shards, items,
// processes, people), and which faults it has. Each draws only some of them, because some hide others, and some only go wrong
// together (profile). Then people buy, pay, cancel and ask, operators change the sale, and things go wrong: at any moment, or
// with the nth call of a certain method. After a while everything is healed, and the world must come to rest: all promises
// kept, all outboxes empty, all units for sale that nobody has, all money where it belongs (finish.go).
//
// # The loop
//
// A schedule runs in a bubble of testing/synctest, whose time stands still while anybody runs. Whoever calls a port waits in
// it (call.go). When all goroutines wait, the loop gives every call that has come its moment and its fate, takes the event
// that is next by these moments, lets time pass until then, and carries it out: a call takes effect in its own goroutine,
// which runs on to its next call. Timers of the processes' clocks are events, too, and so are the acts of people and the
// faults. So one thing happens at a time, in an order that the seed has drawn, and a call may take microseconds or seconds.
// After each step the rows that it wrote are held against the promises (check.go, book.go, shop.go, money.go).
//
// A call may fail before its effect; its effect may come and its answer not; it may come when nobody waits for it any more,
// or twice; the process may die of it, before or after, also between two transactions of one call (between.go). A process
// that dies is never told: every later call of its goroutines fails at once, so that they end, and a new one is built from
// the ports. It may also stand still, be cut off from one store, or be ended properly.
//
// Jobs of keepers run when they are due, and less often while there is nothing for them to do (due.go): a keeper that is slow
// is a keeper all the same, and a schedule costs a few milliseconds. Most of these are goroutines that wait and run on, so the
// loop waits for them once a step, and goroutines that are done carry the next job (hands.go).
//
// # What is promised, and what is not
//
// A reservation that was answered `queued` becomes its order, whatever happens to Redis or to the broker. There is a unit for
// it all the time: lent while its epoch lasts, in doubt after that (cover.go). Three things are more than the design survives,
// and each promise is judged by itself (promise.go):
//
//   - Redis and the broker have both lost it before SQL had it (excused).
//   - Redis has lost it, its process was gone, or cut off from SQL, before anybody heard of it, and the queue brought it after
//     an uncounted drain was believed (beyond). So is what comes more than a minute after the seal.
//   - The queue brought none of its messages before an uncounted drain was believed. If its shopper has bought meanwhile what
//     his limit allows once more, he gets one of the two; and one of which nobody knew may get its unit (overtaken).
//
// # Mistakes
//
// A simulator that finds nothing proves nothing. Mistakes (mistakes.go, slips.go) leaves guards out of the models and steps
// out of the ports, one at a time, as if Lua, SQL or a use case had forgotten them: each must be noticed by some schedule. The
// seeds that do are in testdata, and are played in every test run. Schedules do not know which mistake was made. What another
// guard stands before is planted with that guard out of the way (pairs), or is no mistake of these (masked). Everything that is
// known to go wrong is in testdata/rows.txt, with the mistakes that show it, or the tests that do where no schedule can.
//
// # Reading a failure
//
// The report names the seed, the world and its faults, and then one line for each step that has to do with the reservation,
// order or item concerned; ids are written as #1, #2 in the order of their appearance. `-run TestSeed -seed N` runs it again,
// `-mistake NAME` with a mistake. `make sim` ends with the first failure; ONWARD=1 has it go on and count them.
package sim
