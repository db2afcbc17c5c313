package contract

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// buried publishes messages on a shard, has each become a dead letter, and returns the letters in the messages' order.
func (f QueueFixture) buried(t testing.TB, shard, count int) []seckill.DeadLetter {
	t.Helper()
	s := f.subscribe(t, shard)
	letters := make([]seckill.DeadLetter, count)
	for i := range letters {
		m := newMessage()
		m.Shard = shard
		f.publish(t, m)
		if err := s.DeadLetter(t.Context(), receive(t, s), "buried"); err != nil {
			t.Fatal(err)
		}
		letters[i] = f.letterOf(t, m)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return letters
}

// letterOf is the dead letter with a message's body.
func (f QueueFixture) letterOf(t testing.TB, m seckill.Outgoing) seckill.DeadLetter {
	t.Helper()
	for _, letter := range f.letters(t) {
		if string(letter.Body) == string(m.Body) {
			return letter
		}
	}
	t.Fatalf("no dead letter %s", m.Body)
	return seckill.DeadLetter{}
}

func (f QueueFixture) letters(t testing.TB) []seckill.DeadLetter {
	t.Helper()
	letters, err := f.List(t.Context(), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	return letters
}

func wantSameLetter(t testing.TB, got, want seckill.DeadLetter) {
	t.Helper()
	if got.ID != want.ID || got.Shard != want.Shard || string(got.Body) != string(want.Body) || got.Cause != want.Cause || !got.At.Equal(want.At) {
		t.Errorf("the dead letter is %+v, want %+v", got, want)
	}
}

func queueReplays(t *testing.T, q QueueFixture) {
	t.Helper()
	other := q.buried(t, 0, 1)[0]
	letter := q.buried(t, 1, 1)[0]
	if err := q.Replay(t.Context(), letter.ID); err != nil {
		t.Fatal(err)
	}
	s := q.subscribe(t, 1)
	d := receive(t, s)
	if string(d.Body) != string(letter.Body) || d.Redelivered {
		t.Errorf("delivered %+v", d)
	}
	ack(t, s, d)
	if err := q.Replay(t.Context(), letter.ID); !errors.Is(err, seckill.ErrNotFound) {
		t.Errorf("replayed twice: %v", err)
	}
	if left := q.Crash(t).letters(t); len(left) != 1 || left[0].ID != other.ID {
		t.Errorf("dead letters: %+v", left)
	}
}

func queueDiscards(t *testing.T, q QueueFixture) {
	t.Helper()
	letters := q.buried(t, 0, 3)
	if err := q.Discard(t.Context(), letters[1].ID); err != nil {
		t.Fatal(err)
	}
	if err := q.Discard(t.Context(), letters[1].ID); !errors.Is(err, seckill.ErrNotFound) {
		t.Errorf("discarded twice: %v", err)
	}
	q = q.Crash(t)
	left := q.letters(t)
	if len(left) != 2 {
		t.Fatalf("dead letters: %+v", left)
	}
	wantSameLetter(t, left[0], letters[0])
	wantSameLetter(t, left[1], letters[2])
	q.awaitState(t, "two dead letters and no message", func(s seckill.QueueState) bool {
		return s.Dead == 2 && s.Ready+s.Unacked == 0
	})
}

func queueNamesDeadLetters(t *testing.T, q QueueFixture) {
	t.Helper()
	letters := q.buried(t, 0, 2)
	for range 2 {
		for _, want := range letters {
			got, err := q.Letter(t.Context(), want.ID)
			if err != nil {
				t.Fatal(err)
			}
			wantSameLetter(t, got, want)
		}
		q = q.Crash(t)
	}
	for i, got := range q.letters(t) {
		wantSameLetter(t, got, letters[i])
	}
}

func queueMissesDeadLetters(t *testing.T, q QueueFixture) {
	t.Helper()
	letter := q.buried(t, 0, 1)[0]
	_, err := q.Letter(t.Context(), letter.ID+1)
	for _, err := range []error{err, q.Replay(t.Context(), letter.ID+1), q.Discard(t.Context(), letter.ID+1)} {
		if !errors.Is(err, seckill.ErrNotFound) {
			t.Errorf("answered %v", err)
		}
	}
	if left := q.letters(t); len(left) != 1 {
		t.Errorf("dead letters: %+v", left)
	}
}

func queueDecidesOnce(t *testing.T, q QueueFixture) {
	t.Helper()
	letter := q.buried(t, 0, 1)[0]
	decisions := []func(context.Context, seckill.ID) error{q.Replay, q.Discard, q.Replay, q.Discard}
	answers := make([]error, len(decisions))
	var deciding sync.WaitGroup
	for i, decide := range decisions {
		deciding.Go(func() { answers[i] = decide(t.Context(), letter.ID) })
	}
	deciding.Wait()
	var replayed, discarded int64
	for i, err := range answers {
		switch {
		case err == nil && i%2 == 0:
			replayed++
		case err == nil:
			discarded++
		case !errors.Is(err, seckill.ErrNotFound):
			t.Errorf("answered %v", err)
		}
	}
	if replayed+discarded != 1 {
		t.Errorf("%d replays and %d discards of one letter", replayed, discarded)
	}
	q.awaitState(t, "what the winner decided", func(s seckill.QueueState) bool { return s.Ready == replayed && s.Dead == 0 })
}

func queueReplaysCrowd(t *testing.T, q QueueFixture) {
	t.Helper()
	const operators = 3
	letters := q.buried(t, 0, 5)
	var replaying sync.WaitGroup
	for range operators {
		replaying.Go(func() {
			for _, letter := range letters {
				if err := q.Replay(t.Context(), letter.ID); err != nil && !errors.Is(err, seckill.ErrNotFound) {
					t.Error(err)
				}
			}
		})
	}
	replaying.Wait()
	s := q.subscribe(t, 0)
	missing := map[string]bool{}
	for _, letter := range letters {
		missing[string(letter.Body)] = true
	}
	for range letters {
		d := receive(t, s)
		if !missing[string(d.Body)] {
			t.Errorf("delivered twice: %s", d.Body)
		}
		delete(missing, string(d.Body))
		ack(t, s, d)
	}
	select {
	case d := <-s.Deliveries():
		t.Errorf("delivered more than there was: %s", d.Body)
	case <-time.After(lookEvery):
	}
	q.awaitState(t, "empty", func(s seckill.QueueState) bool { return s == seckill.QueueState{Consumers: 1} })
}
