// Package operate is what operators do: make, edit and delete sales, preload, pause, resume and end them, see where the
// units are, and correct stock, orders and dead letters while a sale runs. It decides; stores, epochs, gates and money belong
// to the ports.
//
//	draft --preload--> scheduled --clock--> live --end | clock--> ended
//	                       |  ^               | ^
//	                       +--+--- pause -----+-+--> paused --resume--> scheduled | live, by the database's clock
//
// What must stay true:
//
//   - Every act is one conditional update with its line in the operators' log. Who loses a race is told so: conflict.
//   - The update is the act. What follows it (rows, epochs, settings in Redis, seals) is repeatable and continued by
//     repeating the call, or by a keeper; how far it came is said item by item.
//   - Preload moves draft to scheduled first and makes the stock rows after it, from the items read again. A row made
//     before would outlive an edit or the deletion of the draft, and lend an allotment that nobody ordered.
//   - A change of settings is answered when every item took it or cannot sell without hearing of it: whoever renewed a gate
//     read SQL before, so a gate lit under the old settings is over one gate after the commit. An item that is just being
//     loaded opens with the new settings or not at all: the keeper looks again before it lights the gate.
//   - What lies elsewhere than the log (stock, orders, dead letters) has two lines in it: what is intended, before, and what
//     came of it, after. Without the first one nothing is done; without the second one nobody knows, and the thing itself
//     tells. Each such act may be repeated: by its op, its order's state, or because the letter is gone.
//   - An act on a sale or an order may name the version that the operator saw; then it is a conflict, which shows what is
//     there now, if somebody else was quicker. Stock takes none: its row moves with every purchase, and the op is enough.
package operate
