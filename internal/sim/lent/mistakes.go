package lent

// Mistakes are guards that the scripts could lack.
type Mistakes struct {
	// Of the gate.
	AnyRun         bool // the gate's run id is not compared
	AnyReplication bool // nor its replication id
	NeverLapses    bool // nor its end
	RenewLights    bool // renew makes a gate that is not there
	OpenRepeats    bool // open may be repeated
	KeepsGate      bool // load leaves the gate
	MissingIsZero  bool // an item without meta is sold out
	UndoesPause    bool // renew carries settings of any version

	// Of a load and the issues.
	LoadRepeats   bool // an epoch may be loaded again
	LoadForgets   bool // load drops the outbox
	LoadEmpty     bool // load leaves the first issue to be sent later
	SharedSide    bool // all attempts, of whatever epoch, share one side key, and its buyers are not counted
	IssueRepeats  bool // a known number is applied again
	IssueAnyEpoch bool // whatever its epoch
	IssueGaps     bool // the number may be any higher one

	// Of a reservation.
	OneTooMany    bool // sells one unit more than there is
	LimitTooLate  bool // refuses only who holds the limit already
	NoReplay      bool // does not know a key or id again
	ReplayLate    bool // looks for replays after state and window
	ReplayTrusted bool // says of every replay that its batch was sent
	BatchReplaced bool // a batch id may be used twice
	NoOutbox      bool // writes no outbox entry
	SoldKept      bool // does not count what is sold

	// Of what follows.
	SentInserts    bool // sent brings back what is settled
	DueForgets     bool // due drops what it gives
	DueKeepsBare   bool // due keeps a batch whose body is gone
	BuyerExpires   bool // a settled reservation's entry is deleted
	BuyerForgotten bool // an entry that was given back is deleted
	BuyerAnyEpoch  bool // a buyer's entry is applied to a closed or older epoch
	BuyerReturns   bool // what is given back is for sale again at once
}
