package contract

import (
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// Queue is the suite of seckill.Publisher, Consumer, Subscription, QueueWatch and DeadLetterDesk. open returns an
// empty queue; messages may arrive in any order.
func Queue(t *testing.T, open func(t *testing.T) QueueFixture) {
	t.Helper()
	for _, it := range []struct {
		does string
		test func(t *testing.T, q QueueFixture)
	}{
		{"delivers the bytes that were published, for the first time", queueDelivers},
		{"has after a crash what it confirmed", queueKeepsConfirmed},
		{"delivers again after a crash what was leased", queueKeepsLeased},
		{"never delivers again what was acknowledged", queueForgetsAcknowledged},
		{"is available to whom it confirms, and no longer when it is closed", queueAvailable},
		{"delivers twice what is published twice", queueTakesTwice},
		{"never confirms to a caller that stopped waiting", queueNeverConfirmsUnheard},
		{"loses nothing between many publishers and consumers", queueCrowd},
		{"gives what a closed subscription had to others at once", queueGivesBack},
		{"ends the deliveries of a closed subscription, closed twice too", queueEndsDeliveries},
		{"delivers to others what a consumer lost, and takes its late acknowledgement", queueTakesLateAck},
		{"leases no more than the prefetch to one consumer", queueBoundsPrefetch},
		{"keeps shards apart", queueKeepsShardsApart},
		{"keeps the bytes and the cause of a dead letter, and goes on with its neighbours", queueKeepsDeadLetter},
		{"keeps a message of which a part is dead-lettered", queueKeepsMessageOfPart},
		{"pages through dead letters, oldest first", queuePagesDeadLetters},
		{"replays a dead letter through the queue of its shard, once", queueReplays},
		{"discards a dead letter for good and leaves its neighbours", queueDiscards},
		{"names every dead letter the same in every list, after a crash too", queueNamesDeadLetters},
		{"finds no dead letter that is not there", queueMissesDeadLetters},
		{"lets one of several operators decide about a dead letter", queueDecidesOnce},
		{"loses and doubles nothing between operators who replay the same letters", queueReplaysCrowd},
		{"shows depth, age and consumers", queueShows},
	} {
		t.Run(it.does, func(t *testing.T) {
			t.Parallel()
			it.test(t, open(t))
		})
	}
}

func queueShows(t *testing.T, q QueueFixture) {
	t.Helper()
	q.awaitState(t, "nothing", func(s seckill.QueueState) bool { return s == seckill.QueueState{} })
	q.publishNew(t, 2)
	q.Pass(1500 * time.Millisecond)
	q.awaitState(t, "2 ready for 1.5 s", func(s seckill.QueueState) bool {
		return s.Ready == 2 && s.Unacked == 0 && s.Consumers == 0 && s.Age >= 1500*time.Millisecond && s.Age < queueWithin
	})
	s := q.subscribe(t, 0)
	deliveries := receiveAll(t, s, 2)
	q.awaitState(t, "2 leased by one", func(s seckill.QueueState) bool {
		return s == seckill.QueueState{Unacked: 2, Consumers: 1}
	})
	ack(t, s, deliveries...)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	q.awaitState(t, "nothing", func(s seckill.QueueState) bool { return s == seckill.QueueState{} })
}
