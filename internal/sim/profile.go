package sim

import "math/rand/v2"

// profile is what kind of trouble a schedule is about: faults that meet each other go wrong together.
type profile struct {
	name string
	// weight is how often it comes, always are kinds of which one is on, others those of which some are, at most so many.
	weight int
	always []kind
	others []kind
	most   int
	// turns are the methods that its faults wait for.
	turns []method
}

// The profiles whose worlds differ from others.
const (
	aboutRedis     = "redis"
	aboutRebuilds  = "rebuilds"
	aboutEnds      = "ends"
	aboutMoney     = "money"
	aboutOperators = "operators"
)

func profiles() []profile {
	return []profile{
		{name: "anything", weight: 2, others: kinds(), most: 7, turns: changing()},
		{
			name: aboutRedis, weight: 5, always: []kind{failover, wipe, restart, dump, zombie}, most: 6, turns: sellingTurns(),
			others: []kind{crashes, delays, delays, stops, lates, slow, loses, refuses, duplicates, cuts, leaves, doubles, echoes, failover, zombie},
		},
		{
			name: aboutRebuilds, weight: 3, always: []kind{failover, wipe, restart, operates}, most: 6, turns: loadingTurns(),
			others: []kind{stops, stops, slow, slow, crashes, lates, loses, refuses, doubles, echoes, echoes, operates, operates, zombie, cuts, delays, idless},
		},
		{
			name: aboutEnds, weight: 3, always: []kind{stops, stops, slow, delays}, most: 5, turns: endingTurns(),
			others: []kind{stops, slow, crashes, lates, delays, doubles, loses, operates, cuts, shardAway, failover, wipe},
		},
		{
			name: aboutMoney, weight: 3, always: []kind{oddPayers, oddPayers, crashes, loses}, most: 6, turns: moneyTurns(),
			others: []kind{crashes, slow, refuses, loses, bankDown, bankRefuses, bankPending, silences, shopDown, doubles, shardAway, lates, operates, operates, oddPayers},
		},
		{
			name: aboutOperators, weight: 3, always: []kind{operates}, most: 5, turns: operatorTurns(),
			others: []kind{slow, lates, stops, crashes, loses, refuses, failover, zombie, doubles, delays, cuts},
		},
		{
			name: "queue", weight: 2, always: []kind{brokerWipe, brokerDown, delays, crashes}, most: 6, turns: sellingTurns(),
			others: []kind{reconnect, reconnect, slow, leaderless, blocked, delays, duplicates, reorders, crashes, loses, refuses, stops, leaves, wipe},
		},
	}
}

func sellingTurns() []method {
	return []method{
		lentReserve, lentReserve, queuePublish, queuePublish, claimsSettle, claimsSettle, queueAck, lentSent, lentSettled, lentDue,
		claimsMarkOrdered, ordersPlace, marksBeat, stocksSeal, stocksRebuild, lentOutbox, stocksRaiseHigh, claimsBuyers,
		lentLoadBuyers, lentLoad, stocksOpen, lentOpen, lentRenewAll, lentSetBuyer, owingDone, stocksReleaseDoubt, marksHighest,
		marksBeat,
	}
}

func loadingTurns() []method {
	return []method{
		stocksSeal, stocksRaiseHigh, marksHeartbeats, marksHighest, stocksRebuild, stocksRebuild, claimsBuyers, lentLoadBuyers, lentLoadBuyers,
		catalogItem, lentLoad, lentLoad, lentServer, stocksOpen, stocksOpen, lentOpen, lentOpen, lentRenewAll, lentRenewAll, stocksIssue,
		lentOutbox, marksBeat, claimsSettle, queuePublish,
	}
}

func endingTurns() []method {
	return []method{
		stocksIssue, stocksIssue, stocksIssue, lentIssue, stocksReturn, stocksReturn, stocksSeal, stocksRebuild, stocksReleaseDoubt,
		claimsSettle, lentSetBuyer, owingDone, catalogAdvance, claimsMarkOrdered, lentRenewAll,
	}
}

func moneyTurns() []method {
	return []method{
		paymentsCancel, paymentsCancelOverdue, paymentsBegin, paymentsOpened, paymentsClosed, paymentsRecord, paymentsRecord,
		paymentsRefund, paymentsRefundFailed, paymentsRefunded, bankOpen, bankClose, bankRefund, stocksReturn, owingDone,
		lentSetBuyer, stocksIssue, lentIssue, eventsSpread, eventsDue, eventsTold, eventsFailed, shopTell, claimsMarkOrdered,
	}
}

func operatorTurns() []method {
	return []method{
		stocksAdjust, stocksAdjust, catalogChange, catalogUpdate, lentRenew, lentRenewAll, lentRenewAll, stocksSeal, stocksRebuild,
		claimsBuyers, lentLoadBuyers, lentLoad, stocksOpen, lentOpen, stocksIssue, lentIssue, stocksReturn, lentSetBuyer,
		paymentsRefund, paymentsRefunded, lentReserve, claimsSettle, stocksRaiseCeiling,
	}
}

func drawProfile(r *rand.Rand) profile {
	all, sum := profiles(), 0
	for _, one := range all {
		sum += one.weight
	}
	x := r.IntN(sum)
	for _, one := range all {
		if x -= one.weight; x < 0 {
			return one
		}
	}
	return all[0]
}
