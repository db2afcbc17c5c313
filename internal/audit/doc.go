// Package audit holds the numbers of the books against each other, and against Redis. Service does so once and only reads;
// Watch does so for as long as sales run, and closes the gates of items whose units do not add up.
//
//	sales    each with its items: what an operator may say of one
//	stock    allotted = pool + lent + doubt + claimed; each term again from the moves and the claims, in one snapshot; the
//	         columns without units: nothing that would keep an item from being sold, or on sale, without a cause
//	moves    each alone, by its name; what ends an epoch against what begins the next one, and what operators are owed
//	         against what was paid; each return against its claim
//	claims   each alone, and a claim that is ordered has its order; a rejected one has none; a returned one has its move
//	orders   each alone, against its events, the catalog, its money and its claim
//	money    payments, charges and refunds, each against its order: what stands has paid it, in time; what does not stand
//	         goes back
//	outbox   each alone, against its claim or its order
//	events   each alone, against the order, sale or item that it is about; the step of an order that is to be told of names its
//	         event; each has the dispatches that are left, which say what it says
//	redis    lent = avail + sold - accounted, while the epoch is open
//
// # Nothing false on a running system
//
// Figures that are summed come from one snapshot (seckill.Books.Facts). Rows that are read one after the other are read in
// the order in which they cannot have been written: stock before its sale for "only an ended sale is sealed for good",
// claims before orders for "an ordered claim has an order", orders before
// claims for "an order has a claim", and between them what is owed: units go back before they are no longer owed. Whatever looks wrong is read again, twice, after a pause; only what is wrong each time
// is reported.
//
// Redis changes with every purchase, but avail + sold changes with an issue only, and so does lent + accounted in SQL:
// settling moves a unit from lent and accounts it in one transaction, whether the claim is held or rejected. Hence both
// sums are the units issued in the epoch, and may be compared in the middle of a sale, as long as both sides have seen the
// same issue. Redis is read before and after SQL; when issue, epoch or gate differ it is tried again a few times, and then
// noted as not compared, which is no finding.
//
// # A watch
//
// In each turn a watch reads the rows of all items on sale, the issues that are new in their epochs, and some pages of
// everything else, however many orders there are. So it sees no item as a whole at one moment. What it holds against each
// other is therefore
//
//	the row of an item on sale  one moment by itself
//	row and issues              issues are numbered and only ever added: those that the row knows are all there after it
//	row and Redis               as above, with one reading of Redis before the row and one after it
//	sums of claims and moves    only if the row has the same version before the first page and after the last one, because
//	                            whatever moves units changes it; if not, what the epoch accounts for must lie between, and
//	                            everything else has to wait until the item is quiet for as long as it takes to read
//	pages                       each with what belongs to it, as a whole audit does
//
// Whatever looks wrong for the first time, or worse than before, is read again, or decided by a snapshot. It judges nothing by
// the present time: a clock that is set back, or jobs that are on their way back, are no violations.
//
// Two reads do grow with the sale. The first turn, and one in which an item's row looks wrong, reads all issues of its epoch at
// once: however many units come back, these are a few in a second at most. A snapshot adds up all claims of its item and reads
// all of its moves; there is one when the sums look wrong for the first time, or worse, and one in each way through an item
// that sells though something is known to be wrong with it.
//
// A gate is closed for a violation that is new, or more than what is known of it (see extent). So an item that an operator has
// reopened as it is sells on with what the operator has seen, and stops for more.
//
// # What no audit can tell
//
// A row that is changed in full agreement with every other table (claim, order, event, stock, moves) is not found, nor is
// what the protocol itself would repair: a claim that is not yet marked ordered, a unit that waits in doubt. Stragglers are
// not told from their moves: units moved by hand between a seal and doubt of the past look like one that came late.
// What the shop was told is deleted, so whether it was, and in order, only the shop knows; and an event of a sale or an item
// that is deleted together with its dispatches was told as far as anybody can see.
package audit
