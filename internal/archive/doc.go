// Package archive is the use case of putting a finished sale away: it proves once more that everything adds up, keeps a
// summary, writes out what happened if somebody wants it, and drops what only a running sale needs. It deletes no claim, no
// order and no event: shoppers and the audit go on reading them.
//
//	ended? --> closed, nothing owed? --> read everything, write it out --> audit clean? --> the file stands
//	       --> summary and act, in one transaction --> Redis keys, marks
//
// What is still owed refuses the archive, each by name: it is not for this package to hurry anybody. Every step may be
// repeated, so whoever is cut off begins again.
//
// Money may go back after that, and units with it. Orders are on their users' shards and the summary is on the catalog's, so
// no transaction holds both: a summary is never answered from its row, but counted whenever somebody archives the sale, and
// the row written anew, with its act, where it differs. Who counted beside somebody else does not replace what that one wrote.
package archive
