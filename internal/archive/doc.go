// Package archive is the use case of putting a finished sale away: it proves once more that everything adds up, keeps a
// summary, writes out what happened if somebody wants it, and drops what only a running sale needs. It deletes no claim, no
// order and no event: shoppers and the audit go on reading them.
//
//	ended? --> closed, nothing owed? --> read everything, write it out --> audit clean? --> the file stands
//	       --> summary and act, in one transaction --> Redis keys, marks
//
// What is still owed refuses the archive, each by name: it is not for this package to hurry anybody. Every step may be
// repeated, so whoever is cut off begins again; the first summary stays.
package archive
