package operate_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/seckill-dev/seckill/internal/seckill"
)

func TestDeadLetters(t *testing.T) {
	t.Parallel()
	t.Run("are listed in pages and read one by one", lettersPaged)
	t.Run("replayed go back into their queue, with a line before and one after", letterReplayed)
	t.Run("discarded are kept by the log, whatever their bytes", letterDiscarded)
	t.Run("that are not there are not found, and nothing is logged", letterMissing)
	t.Run("are decided about by one of two operators; the other one hears conflict or finds none", letterContested)
}

// bury has messages become dead letters.
func (w *world) bury(t *testing.T, bodies ...string) []seckill.DeadLetter {
	t.Helper()
	s, err := w.queue.Subscribe(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, body := range bodies {
		if err := w.queue.Publish(t.Context(), seckill.Outgoing{Shard: 1, Batch: 1, Item: 1, Epoch: 1, Body: []byte(body)}); err != nil {
			t.Fatal(err)
		}
		if err := s.DeadLetter(t.Context(), <-s.Deliveries(), "test"); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	letters, err := w.queue.List(t.Context(), 0, 100)
	if err != nil || len(letters) != len(bodies) {
		t.Fatalf("%+v, %v", letters, err)
	}
	return letters
}

func lettersPaged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	letters := w.bury(t, "a", "b", "c")
	first, err := w.DeadLetters(t.Context(), 0, 2)
	if err != nil || len(first.Letters) != 2 || first.Next != letters[1].ID {
		t.Fatalf("%+v, %v", first, err)
	}
	rest, err := w.DeadLetters(t.Context(), first.Next, 2)
	if err != nil || len(rest.Letters) != 1 || rest.Next != 0 || rest.Letters[0].ID != letters[2].ID {
		t.Errorf("%+v, %v", rest, err)
	}
	if one, err := w.DeadLetter(t.Context(), letters[1].ID); err != nil || string(one.Body) != "b" {
		t.Errorf("%+v, %v", one, err)
	}
}

func letterReplayed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	letter := w.bury(t, "again")[0]
	if was, err := w.ReplayLetter(t.Context(), ada, letter.ID); err != nil || string(was.Body) != "again" {
		t.Fatalf("%+v, %v", was, err)
	}
	s, err := w.queue.Subscribe(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if d := <-s.Deliveries(); string(d.Body) != "again" {
		t.Errorf("delivered %s", d.Body)
	}
	w.wantTwoLines(t, letter.ID, line{"letter.replay", `"body":"again"`, ""}, line{action: "letter.replayed"})
}

func letterDiscarded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	long := strings.Repeat("ä\"", 20_000)
	letters := w.bury(t, "\x00\xff{", long)
	for _, letter := range letters {
		_, err := w.DiscardLetter(t.Context(), ben, letter.ID, " ")
		wantRefusal(t, err, seckill.Invalid, "reason")
		if _, err := w.DiscardLetter(t.Context(), ben, letter.ID, "sent by a test"); err != nil {
			t.Error(err)
		}
	}
	acts, err := w.catalog.Acts(t.Context(), letters[0].ID, 10)
	if err != nil || len(acts) != 2 || acts[0].Action != "letter.discarded" || acts[0].After != `{"reason":"sent by a test"}` ||
		!strings.Contains(acts[1].Before, `"body_base64":"AP97"`) {
		t.Errorf("%+v, %v", acts, err)
	}
	const columnMax = 65_535 // TEXT
	acts, err = w.catalog.Acts(t.Context(), letters[1].ID, 10)
	if err != nil || len(acts) != 2 || len(acts[1].Before) > columnMax || !strings.Contains(acts[1].Before, `"bytes":60000`) {
		t.Errorf("%d acts, %v", len(acts), err)
	}
	if left, err := w.queue.List(t.Context(), 0, 10); err != nil || len(left) != 0 {
		t.Errorf("%+v, %v", left, err)
	}
}

func letterMissing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.DeadLetter(t.Context(), 1)
	wantRefusal(t, err, seckill.NotFound, "")
	_, err = w.ReplayLetter(t.Context(), ada, 1)
	wantRefusal(t, err, seckill.NotFound, "")
	_, err = w.DiscardLetter(t.Context(), ada, 1, "test")
	wantRefusal(t, err, seckill.NotFound, "")
	if actions := w.actions(t, 1); len(actions) != 0 {
		t.Error(actions)
	}
}

func letterContested(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	letter := w.bury(t, "contested")[0]
	answers := make([]error, 4)
	var deciding sync.WaitGroup
	for i := range answers {
		deciding.Go(func() {
			if i%2 == 0 {
				_, answers[i] = w.ReplayLetter(t.Context(), ada, letter.ID)
			} else {
				_, answers[i] = w.DiscardLetter(t.Context(), ben, letter.ID, "test")
			}
		})
	}
	deciding.Wait()
	won := 0
	for _, err := range answers {
		reason := seckill.ReasonOf(err)
		switch {
		case err == nil:
			won++
		case reason != seckill.Conflict && reason != seckill.NotFound:
			t.Errorf("answered %v", err)
		}
	}
	if won != 1 {
		t.Errorf("%d operators won", won)
	}
}
