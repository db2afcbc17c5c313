// Package seckill is the domain of a flash sale: its nouns, its closed list of refusals, its state
// machines, and the ports that adapters implement. It imports the standard library only and does no I/O.
//
// # Stock flows one way
//
//	pool --issue #k--> lent (epoch E) --reserve--> queue --settle--> claimed --pay--> sold
//	  ^                  |-- seal E: the rest ----------------> pool
//	  |                  `-- seal E: reserved, not yet seen --> doubt --settle | after 60 s--> claimed | pool
//	  `-- cancel, timeout (from claimed), rejection while settling (from lent or doubt)
//
// One SQL row per item, its stock, owns every unit: allotted = pool + lent + doubt + claimed, all >= 0.
// Redis is never the truth; it is lent numbered amounts (issues) for one epoch at a time. A returned unit goes to
// pool, exactly once and in the transaction that returns it, and is lent again by the next issue. What an operator takes
// comes from the pool; what the pool lacks is owed, and taken where the next epoch begins.
//
// # States
//
//	epoch        new -> loading -> open -> sealing -> loading ... -> closed
//	sale         draft -> scheduled -> live <-> paused -> ended
//	reservation  queued -> ordered | rejected(reason)
//	claim        held -> returned, or rejected from the start
//	order        unpaid -> paid -> refunding -> refunded; unpaid -> cancelled
//
// Reservation, claim and order share one id, chosen before Redis is asked, so that every step can be repeated.
//
// # Time
//
// Deadlines that several processes must agree on are judged by the clock of the store that decides them: windows
// by Redis TIME, everything in SQL by the database's clock. A process's own clock only measures durations.
package seckill
