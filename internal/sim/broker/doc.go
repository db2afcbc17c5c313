// Package broker is the durable queue as a model, for the simulator: the ports seckill.Publisher, Consumer, QueueWatch,
// DeadLetterDesk and Drain in plain slices. It behaves as internal/rabbitmq does, because that has the wider faults: a lost
// connection ends a subscription, what it had goes to others, and its late acknowledgements reach nobody.
//
// # States of a message
//
//	unconfirmed --> held ---forget--> gone
//	                ^  |
//	           delay|  |arrive
//	                |  v
//	confirmed ----> ready --deliver--> leased --acknowledge--> gone
//	                  ^                  |
//	                  `---- cut, close --'
//
// What is held is nowhere to be seen: a confirmed message that is slow, or one whose confirm never came and of which nobody
// knows whether the broker has it. Only the latter may be forgotten.
//
// # Delivering
//
// By itself the broker hands on whatever there is room for, in order. With Manual it hands on nothing: the simulator chooses
// a message and a consumer (Deliver), and so its order, its delay, and that a consumer which has died is given messages, too.
package broker
