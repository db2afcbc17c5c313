package sim

import (
	"github.com/seckill-dev/seckill/internal/sim/bank"
	"github.com/seckill-dev/seckill/internal/sim/broker"
	"github.com/seckill-dev/seckill/internal/sim/ledger"
	"github.com/seckill-dev/seckill/internal/sim/lent"
)

// Mistake is one that is left in the world on purpose, to see whether anybody notices.
type Mistake struct {
	// Name says what is wrong, Source what knows of it: a trap or a peer of the design, or a step of the protocol.
	Name   string
	Source string

	plant func(w *world)
}

// Mistakes are all that must be noticed.
func Mistakes() []Mistake {
	all := lentMistakes()
	all = append(all, ledgerMistakes()...)
	all = append(all, brokerMistakes()...)
	all = append(all, bankMistakes()...)
	all = append(all, pairs()...)
	return append(all, slips()...)
}

// mistake finds one by its name.
func mistake(name string) (Mistake, bool) {
	for _, m := range Mistakes() {
		if m.Name == name {
			return m, true
		}
	}
	return Mistake{}, false
}

// inLent is a guard that a script lacks.
func inLent(name, source string, lack func(m *lent.Mistakes)) Mistake {
	return Mistake{"redis: " + name, source, func(w *world) { lack(&w.lent.Mistakes) }}
}

func lentMistakes() []Mistake {
	return []Mistake{
		inLent("run id of the gate not compared", "trap 8", func(m *lent.Mistakes) { m.AnyRun, m.AnyReplication = true, true }),
		inLent("replication id of the gate not compared", "trap 27", func(m *lent.Mistakes) { m.AnyReplication = true }),
		inLent("gate never lapses", "trap 9", func(m *lent.Mistakes) { m.NeverLapses = true }),
		inLent("renewal lights a gate", "trap 7", func(m *lent.Mistakes) { m.RenewLights = true }),
		inLent("missing meta is sold out", "design 5", func(m *lent.Mistakes) { m.MissingIsZero = true }),
		inLent("an old renewal undoes a pause", "trap 35", func(m *lent.Mistakes) { m.UndoesPause = true }),
		inLent("an epoch is loaded again", "trap 10", func(m *lent.Mistakes) { m.LoadRepeats = true }),
		inLent("load drops the outbox", "trap 30", func(m *lent.Mistakes) { m.LoadForgets = true }),
		inLent("load leaves the first issue to be sent", "trap 22", func(m *lent.Mistakes) { m.LoadEmpty = true }),
		inLent("attempts share a side key", "trap 24", func(m *lent.Mistakes) { m.SharedSide = true }),
		inLent("a known issue is applied again", "design 5", func(m *lent.Mistakes) { m.IssueRepeats = true }),
		inLent("one unit too many", "peer: >= for >", func(m *lent.Mistakes) { m.OneTooMany = true }),
		inLent("limit asks only what was held before", "peer: limit bypassed", func(m *lent.Mistakes) { m.LimitTooLate = true }),
		inLent("a key is not known again", "peer: double order", func(m *lent.Mistakes) { m.NoReplay = true }),
		inLent("state and window before the replay", "trap 13", func(m *lent.Mistakes) { m.ReplayLate = true }),
		inLent("a replay is queued by Lua alone", "trap 3", func(m *lent.Mistakes) { m.ReplayTrusted = true }),
		inLent("no outbox", "peer: lost order", func(m *lent.Mistakes) { m.NoOutbox = true }),
		inLent("sold is not counted", "design 5", func(m *lent.Mistakes) { m.SoldKept = true }),
		inLent("due drops what it gives", "peer: lost order", func(m *lent.Mistakes) { m.DueForgets = true }),
		inLent("a buyer's marker goes early", "peer: double order", func(m *lent.Mistakes) { m.BuyerExpires = true }),
		inLent("what was given back is forgotten", "trap 4", func(m *lent.Mistakes) { m.BuyerForgotten = true }),
		inLent("a buyer's entry goes to any epoch", "trap 12", func(m *lent.Mistakes) { m.BuyerAnyEpoch = true }),
		inLent("redis is incremented for a returned order", "peer: stock grows", func(m *lent.Mistakes) { m.BuyerReturns = true }),
	}
}

// inLedger is a guard that SQL lacks.
func inLedger(source string, lack ledger.Lack) Mistake {
	return Mistake{"sql: " + string(lack), source, func(w *world) { w.lack = lack }}
}

func ledgerMistakes() []Mistake {
	sources := map[ledger.Lack]string{
		ledger.LackDoubt: "trap 1", ledger.LackCheck: "design 3", ledger.LackOpenAnswer: "trap 34", ledger.LackIssueState: "trap 33",
		ledger.LackIssueNumber: "trap 20", ledger.LackDoubled: "trap 23",
		ledger.LackLimit: "trap 5", ledger.LackCeiling: "trap 28", ledger.LackRejectUnits: "trap 14", ledger.LackRejectMin: "trap 29",
		ledger.LackStraggler: "trap 24", ledger.LackReturnOwed: "trap 12", ledger.LackMarkHighest: "trap 25",
		ledger.LackRepeated: "peer: poison loop", ledger.LackRejectClaim: "peer: processing for ever", ledger.LackReturned: "peer: late message",
		ledger.LackReturnHeld: "peer: stock grows", ledger.LackKnown: "trap 6", ledger.LackChargeState: "peer: paid but cancelled",
	}
	var all []Mistake
	for _, lack := range ledger.Lacks() {
		if masked(lack) {
			continue
		}
		source := sources[lack]
		if source == "" {
			source = "design 7"
		}
		all = append(all, inLedger(source, lack))
	}
	return all
}

func brokerMistakes() []Mistake {
	in := func(name, source string, lack func(m *broker.Mistakes)) Mistake {
		return Mistake{"queue: " + name, source, func(w *world) { lack(&w.broker.Mistakes) }}
	}
	return []Mistake{
		in("confirms what no queue takes", "peer: no queue yet", func(m *broker.Mistakes) { m.Unroutable = true }),
		in("acknowledged when handed on", "peer: ack before the flush", func(m *broker.Mistakes) { m.AutoAck = true }),
		in("an old tag acknowledges another message", "facts: amqp091", func(m *broker.Mistakes) { m.AnyTag = true }),
	}
}

func bankMistakes() []Mistake {
	in := func(name, source string, lack func(m *bank.Mistakes)) Mistake {
		return Mistake{"bank: " + name, source, func(w *world) { lack(&w.bank.Mistakes) }}
	}
	return []Mistake{
		in("a payment is opened again", "design 9", func(m *bank.Mistakes) { m.OpensAgain = true }),
		in("a refund is made again", "design 9", func(m *bank.Mistakes) { m.RefundsAgain = true }),
		in("a payment is not closed", "peer: paid but cancelled", func(m *bank.Mistakes) { m.KeepsOpen = true }),
	}
}

// masked are guards that another one stands before: without them nothing goes wrong as long as that one stands. The first four
// are planted together with it (pairs).
func masked(lack ledger.Lack) bool {
	switch lack {
	case ledger.LackCheck, // redis sells no more than it was lent
		ledger.LackDoubtTime,   // the job asks, too
		ledger.LackIssueNumber, // an issue names its epoch
		ledger.LackDoubled,     // no id is made twice
		// These never come back, because nothing cheap takes away what masks them.
		// A late seal ends the next epoch as any loss would: what that has promised is counted, and another one follows.
		ledger.LackSealEpoch,
		// Rebuild itself counts what came meanwhile. Only a message of which no mark knew is beyond its target: see the next.
		ledger.LackRebuildVersion,
		// Too little is there only where one of whom nobody knew was served; who lacks the rest is excused with him (overtaken).
		ledger.LackRejectRest,
		// No id is made twice; where every process makes those of one node, T1 has compared it before (LackDoubled).
		ledger.LackPlaceSame,
		// Two keepers tell the same event, and to be told twice is to be told at least once: whoever is told knows it again.
		ledger.LackEventLease:
		return true
	default:
		return false
	}
}

// pairs are guards that lack together.
func pairs() []Mistake {
	return []Mistake{
		{"both: issue numbers restart and go to any epoch", "trap 20", func(w *world) {
			w.lack, w.lent.Mistakes.IssueAnyEpoch = ledger.LackIssueNumber, true
		}},
		{"both: one unit too many and no CHECK", "design 3", func(w *world) {
			w.lack, w.lent.Mistakes.OneTooMany = ledger.LackCheck, true
		}},
		{"both: doubt is released at once, and nobody asks", "design 8, step 7", func(w *world) {
			w.lack, w.slip = ledger.LackDoubtTime, doubtForgets
		}},
		{"both: every process makes the ids of one node, and nobody notices", "trap 23", func(w *world) {
			w.lack, w.slip = ledger.LackDoubled, oneNode
		}},
		{"both: sent brings back what is settled, and due keeps what has no body", "trap 21", func(w *world) {
			w.lent.Mistakes.SentInserts, w.lent.Mistakes.DueKeepsBare = true, true
		}},
		{"both: a repeated Lua call keeps its batch, which is overwritten", "trap 18", func(w *world) {
			w.slip, w.lent.Mistakes.BatchReplaced = sameBatch, true
		}},
	}
}
