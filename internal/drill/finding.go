package drill

import "fmt"

// Finding is a promise that was broken.
type Finding struct {
	Kind        string
	User        string
	Reservation string
	Detail      string
}

func (f Finding) String() string {
	text := f.Kind
	if f.User != "" {
		text += " " + f.User
	}
	if f.Reservation != "" {
		text += " " + f.Reservation
	}
	return text + ": " + f.Detail
}

// The kinds of findings that are the drill's own. Those of crowds and of the audit keep their names.
const (
	lost         = "lost"              // queued, and neither claim nor order
	refusedAfter = "queued, refused"   // queued, and rejected then
	undecided    = "undecided"         // queued, and for ever
	differs      = "differs"           // another user, quantity or amount
	doubled      = "doubled"           // one key, two reservations that hold
	money        = "money"             // the provider's ledger is not ours
	stuck        = "never recovered"   // a fault that the system did not get over
	unhealed     = "could not heal"    // a fault that the drill could not end
	restless     = "not at rest"       // units, orders or steps that nobody finishes
	falselyTold  = "falsely refused"   // a refusal that cannot be true
	uncompared   = "not compared"      // a crowd that did not get so far
	unsold       = "nobody was served" // nothing was proven
)

// findingsMax bounds how many of a kind are kept; all are counted.
const findingsMax = 50

func findingf(kind, user, reservation, format string, args ...any) Finding {
	return Finding{Kind: kind, User: user, Reservation: reservation, Detail: fmt.Sprintf(format, args...)}
}
