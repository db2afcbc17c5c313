package contract

import (
	"testing"

	"github.com/seckill-dev/seckill/internal/seckill"
)

func queueKeepsDeadLetter(t *testing.T, q QueueFixture) {
	t.Helper()
	poison := newMessage()
	poison.Body = []byte("\x00\xff{ not json")
	q.publish(t, poison)
	s := q.subscribe(t, 0)
	if err := s.DeadLetter(t.Context(), receive(t, s), "cannot be decoded"); err != nil {
		t.Fatal(err)
	}
	neighbour := q.publishNew(t, 1)
	d := receive(t, s)
	wantBodies(t, []seckill.Delivery{d}, neighbour...)
	ack(t, s, d)
	q.awaitState(t, "empty with one dead letter", func(state seckill.QueueState) bool {
		return state.Ready+state.Unacked == 0 && state.Dead == 1
	})
	wantLetter(t, q.Crash(t), string(poison.Body), "cannot be decoded")
}

func queueKeepsMessageOfPart(t *testing.T, q QueueFixture) {
	t.Helper()
	m := q.publishNew(t, 1)
	s := q.subscribe(t, 0)
	d := receive(t, s)
	if err := s.DeadLetter(t.Context(), seckill.Delivery{Tag: d.Tag, Body: []byte("part")}, "doubled id"); err != nil {
		t.Fatal(err)
	}
	wantLetter(t, q, "part", "doubled id")
	q = q.Crash(t)
	wantBodies(t, receiveAll(t, q.subscribe(t, 0), 1), m...)
}

func queuePagesDeadLetters(t *testing.T, q QueueFixture) {
	t.Helper()
	messages := q.publishNew(t, 3)
	s := q.subscribe(t, 0)
	dead := receiveAll(t, s, len(messages))
	for _, d := range dead {
		if err := s.DeadLetter(t.Context(), d, "test"); err != nil {
			t.Fatal(err)
		}
	}
	first, err := q.List(t.Context(), 0, 2)
	if err != nil || len(first) != 2 || string(first[0].Body) != string(dead[0].Body) {
		t.Fatalf("the first page is %+v, %v", first, err)
	}
	second, err := q.List(t.Context(), first[1].ID, 2)
	if err != nil || len(second) != 1 || string(second[0].Body) != string(dead[2].Body) {
		t.Fatalf("the second page is %+v, %v", second, err)
	}
}

// wantLetter waits for the only dead letter.
func wantLetter(t testing.TB, q QueueFixture, body, cause string) {
	t.Helper()
	q.awaitState(t, "one dead letter", func(s seckill.QueueState) bool { return s.Dead == 1 })
	letters, err := q.List(t.Context(), 0, 10)
	if err != nil || len(letters) != 1 {
		t.Fatalf("dead letters: %+v, %v", letters, err)
	}
	if l := letters[0]; string(l.Body) != body || l.Cause != cause || l.ID <= 0 || l.At.IsZero() {
		t.Errorf("the dead letter is %+v", l)
	}
}
