package drill

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// turn is one fault as it was played.
type turn struct {
	act act
	// at is when it was done, from is when its recovery began to count.
	at time.Time
	blow
	recovered
	failure error
	// over is when it was got over, or was not in time. Otherwise nobody waited for that.
	over bool
}

// isIdle says that nothing broke: it proves nothing.
func (t turn) isIdle() bool { return t.over && t.failure == nil && t.effect == "" }

// recovered is how long it took to get over a fault: until everybody could buy again, until something that was bought after
// it was an order, and until everything was that had been promised before. Each may be never.
type recovered struct{ sells, orders, caughtUp time.Duration }

// isWhole says that the system got over it.
func (r recovered) isWhole() bool {
	return r.sells != never && r.orders != never && r.caughtUp != never
}

func (r recovered) String() string {
	return fmt.Sprintf("sells again after %s, orders after %s, all promises kept after %s", shortly(r.sells), shortly(r.orders), shortly(r.caughtUp))
}

// noEffect is said of a fault that broke nothing.
const noEffect = "it had no effect"

// never is a recovery that did not happen.
const never = time.Duration(-1)

// timeline is everything that happened, for people.
type timeline struct {
	began  time.Time
	out    io.Writer
	ledger *ledger

	mu    sync.Mutex
	turns []*turn
}

// begin notes a fault that is about to be done.
func (t *timeline) begin(a act) *turn {
	t.mu.Lock()
	defer t.mu.Unlock()
	played := &turn{act: a, at: time.Now()}
	t.turns = append(t.turns, played)
	t.ledger.note(entry{Event: "fault: " + a.String()})
	return played
}

// end notes what became of it, if that is over.
func (t *timeline) end(played *turn, b blow, after recovered, over bool, failure error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	played.blow, played.recovered, played.failure, played.over = b, after, failure, over
	text := after.String()
	if !over {
		text = "was not waited for"
	}
	if played.isIdle() {
		text += "; " + noEffect
	}
	if failure != nil {
		text += "; " + failure.Error()
	}
	t.ledger.note(entry{Event: "over: " + played.act.String(), Detail: strings.TrimPrefix(b.effect+"; "+text, "; ")})
	t.print(fmt.Sprintf("%-44s %s", played.act, text))
}

// say prints something that is no fault.
func (t *timeline) say(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := fmt.Sprintf(format, args...)
	t.ledger.note(entry{Event: text})
	t.print(text)
}

func (t *timeline) print(text string) {
	since := time.Since(t.began).Round(time.Second)
	_, _ = fmt.Fprintf(t.out, "%02d:%02d  %s\n", int(since.Minutes()), int(since.Seconds())%60, text)
}

// played are the faults so far.
func (t *timeline) played() []turn {
	t.mu.Lock()
	defer t.mu.Unlock()
	turns := make([]turn, len(t.turns))
	for i, one := range t.turns {
		turns[i] = *one
	}
	return turns
}

// shortly writes a duration as people say it.
func shortly(d time.Duration) string {
	if d < 0 {
		return "never"
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}
