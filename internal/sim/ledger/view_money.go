package ledger

import (
	"iter"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Payments are all attempts to pay.
func (v View) Payments() iter.Seq[seckill.Payment] {
	return every(v, func(db *database) iter.Seq2[seckill.ID, *seckill.Payment] { return db.till.payments.all() }, same)
}

// Charges are all there are.
func (v View) Charges() iter.Seq[seckill.Charge] {
	return every(v, func(db *database) iter.Seq2[txn, *seckill.Charge] { return db.till.charges.all() }, same)
}

// Refunds are all there are, owed and done.
func (v View) Refunds() iter.Seq[seckill.Refund] {
	return every(v, func(db *database) iter.Seq2[txn, *seckill.Refund] { return db.till.refunds.all() }, same)
}

// Money is what was paid on one order, and what goes back.
func (v View) Money(order seckill.ID) (charges []seckill.Charge, refunds []seckill.Refund) {
	db := v.shardOf(order)
	return db.chargesOf(order), db.refundsOf(order)
}

// Waiting counts the dispatches that are not dead.
func (v View) Waiting() (count int) {
	for _, db := range v.ledger.shards {
		for _, dispatches := range db.told.endpoints.all() {
			for _, dispatch := range dispatches.all() {
				if !dispatch.Dead {
					count++
				}
			}
		}
	}
	return count
}

// Heartbeats are the last of each process, on every shard that it beats on.
func (v View) Heartbeats() iter.Seq[seckill.Heartbeat] {
	return every(v, func(db *database) iter.Seq2[seckill.ID, *process] { return db.marks.all() },
		func(row *process) seckill.Heartbeat { return row.beat })
}
