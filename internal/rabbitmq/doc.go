// Package rabbitmq is the durable queue on RabbitMQ 3.10 and later: the ports seckill.Publisher, Consumer, QueueWatch and
// DeadLetterDesk. Only this package knows amqp091. It decides nothing about what messages mean.
//
// # On the broker
//
//	prefix.orders.<home shard>   quorum queue, limited deliveries, dead letters at least once
//	prefix.dead                  direct exchange that dead letters go to
//	prefix.dead.<home shard>     quorum queue that keeps them
//	prefix.progress              fanout exchange: consumers tell everybody how far they are
//	an exchange of any name      where Exchange tells the shop of events, if it is to
//
// The design names one queue seckill.dead; there is one per shard instead, because a shard's state counts its own dead
// letters and who adds up shards must not count one letter twice. Everything is declared by every new connection, by every
// subscription, and whenever a queue turns out to be gone.
//
// # Generations
//
// amqp091 can reconnect by itself and then acknowledges old deliveries by number on the new channel, where the number is
// another message's. So nothing here outlives its connection. A link keeps one connection for publishing (a lane) or for
// looking; each connection is a generation with channels and bookkeeping of its own. A subscription is one generation: it
// has its own connection, never reconnects, and ends with it. Its late acknowledgements reach nobody.
//
//	dialing --opened--> serving --closed, cut, silent for 2 heartbeats--> waiting (backoff, jitter) --> dialing
//
// Several URLs are brokers of one cluster. They are tried in turn, beginning with the one that answered last.
//
// # Publishing
//
// One message, persistent and mandatory, on one of several lanes, because a connection flushes every message. What
// Publish answers:
//
//	confirmed                                              nil
//	not connected, blocked, silent, no slot, not written   seckill.ErrUnavailable
//	returned (no queue takes it), recognised by its id     seckill.ErrUnavailable, an error in the log, queues declared anew
//	refused, connection lost, no confirm in time           any other error: unknown
//
// An unroutable message is returned and then acked; the return is always read first. A message whose caller stopped
// waiting keeps its slot until the broker has spoken or the connection is gone, so what is in flight is bounded by what is
// really in flight. Every write has a deadline: amqp091 has none, and a broker with an alarm stops reading.
//
// # Whether to publish
//
// Available answers before stock is touched, without I/O, from what has been seen: whether a lane is connected, blocked,
// full; whether the shard's last messages were confirmed in time and routed. Every lane is probed twice a
// second with a message that goes to no queue: brokers tell of an alarm only to who publishes, and one that hangs says
// nothing at all. Thus an idle shop knows within two seconds, and a busy one loses no more than what was under way.
//
// # A queue without a leader
//
// It takes messages and confirms none, looks empty, and lets no consumer in: subscribing says so. It ends when a majority
// of its replicas is back, except in one case: RabbitMQ (seen in 3.10.8) writes the name of a new quorum queue to disk up
// to three seconds after it has made it and confirmed messages in it. Killed before, a broker of one node comes back with
// an empty queue of that name that never gets a leader. Nothing is lost, since Redis holds what is not settled, but
// somebody has to delete that queue; it is then declared again. Nothing here does so by itself, because a queue whose
// majority is away looks the same. Do not delete a queue of a system that runs: in 3.10.8, a queue that goes while another
// connection declares it can end the supervisor of dead lettering, and until the broker is restarted no new queue gets a
// leader.
//
// # Redelivery is counted
//
// The broker counts every time a message comes back, whether its consumer had it in hand or only in a buffer: also after
// Close. The limit is high for that reason, and beyond it the broker itself dead-letters the message, at least once.
// A message that is not acknowledged for 30 minutes ends its subscription (RabbitMQ's consumer timeout).
//
// # Dead letters
//
// AMQP cannot look at a message without taking it. List takes all, reads and gives back, alone (an exclusive queue is its
// lock), so it is a question for operators and not for loops. Replay and Discard are a List that keeps one: whoever has the
// lock finds a letter, whoever comes later does not. Ids rise with time; those of letters that the broker moved are made
// from the time and the message's own id, and so are the same in every List. A replayed message is a new one: its
// redeliveries are counted from nothing, and if it dies again, that letter has another id.
package rabbitmq
