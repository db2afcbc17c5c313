package audit

import (
	"context"
	"errors"
	"fmt"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	// turnRows is how many rows a turn reads of each lane before it stops, turnReads how many times it reads.
	turnRows  = pageSize
	turnReads = 32
	// lookFindings is more than a page has, whatever is wrong with all of it: sums are judged with the last one.
	lookFindings = 32 * pageSize
)

// StockDesk is what a watch needs of seckill.Stocks: it reads rows, and closes the gate of an item.
type StockDesk interface {
	Get(ctx context.Context, item seckill.ID) (seckill.Stock, error)
	List(ctx context.Context, shard int, states ...seckill.StockState) ([]seckill.Stock, error)
	Moves(ctx context.Context, item seckill.ID, epoch, after int64) ([]seckill.Move, error)
	Halt(ctx context.Context, item seckill.ID, reason string) error
}

// WatchPorts are what a watch works on. Without Lent it does not compare with Redis.
type WatchPorts struct {
	Ports
	Stocks StockDesk
	// Violations is told by how much the number of known violations of a rule has changed. That of a rule which closes no
	// gates ends at 1000; and_more is then the number of rules that are broken more often. Nil tells nobody.
	Violations func(rule string, by int)
	// OnlyTells keeps the gates open, whatever is found.
	OnlyTells bool
}

// Watch audits one shard for as long as sales run, a little in each turn. See the package's comment for what it reads, and
// why it never takes what is under way for a violation.
type Watch struct {
	ports WatchPorts
	shard int
	live  liveLook
	lanes []*lane
	notes *notebook
	// ways numbers the ways through lanes, whichever of them it is.
	ways int64
	// closing are the items whose gates have yet to be closed, each with what is wrong with it.
	closing map[seckill.ID]Finding
}

// NewWatch returns the watch of a shard. It remembers what it has found, so a shard has one in a process.
func NewWatch(ports WatchPorts, shard int) *Watch {
	ports.Ports = New(ports.Ports).ports
	if ports.Violations == nil {
		ports.Violations = func(string, int) {}
	}
	w := &Watch{ports: ports, shard: shard, closing: make(map[seckill.ID]Finding)}
	w.notes = newNotebook(ports.Violations)
	w.live = liveLook{watch: w, issued: make(map[seckill.ID]issued)}
	w.lanes = []*lane{{start: w.openItems}, {start: w.everythingElse}}
	return w
}

// RunOnce looks at the items that are on sale, and goes on a page where it ended the last time.
func (w *Watch) RunOnce(ctx context.Context) error {
	failures := []error{w.live.look(ctx)}
	for _, lane := range w.lanes {
		failures = append(failures, w.follow(ctx, lane))
	}
	return errors.Join(append(failures, w.close(ctx))...)
}

// look is an empty run, for one look of a watch. It has no view on Redis, and so judges nothing by how long jobs take:
// nobody can tell one that is slow from one that is on its way back.
func (w *Watch) look() *run {
	ports := w.ports.Ports
	ports.Lent = nil
	return &run{ports: ports, entries: make(entries), whole: true, most: lookFindings}
}

// lane is a way through the books that begins anew when it ends.
type lane struct {
	start  func(ctx context.Context) ([]round, error)
	rounds []round
	number int64
}

// round goes through a part of the books, a page at a time.
type round interface {
	name() string
	// next looks at the next page and adds to the run what is wrong there. It says how many rows that were, and whether they
	// were the last ones.
	next(ctx context.Context, r *run) (rows int, last bool, err error)
}

// follow goes on in a lane. A round that fails is left: its stores may be away for long, and others are not.
func (w *Watch) follow(ctx context.Context, l *lane) error {
	if len(l.rounds) == 0 {
		rounds, err := l.start(ctx)
		if err != nil {
			return err
		}
		w.ways++
		l.rounds, l.number = rounds, w.ways
	}
	rows := 0
	for reads := 0; len(l.rounds) > 0 && rows < turnRows && reads < turnReads; reads++ {
		now, r := l.rounds[0], w.look()
		n, last, err := now.next(ctx, r)
		w.write(now.name(), l.number, r.findings)
		if last && err == nil {
			w.notes.wipe(now.name(), l.number)
		}
		if last || err != nil {
			l.rounds = l.rounds[1:]
		}
		if err != nil {
			return fmt.Errorf("look at %s: %w", now.name(), err)
		}
		rows += n
	}
	return nil
}

// write notes what a look has found, says so once, and again when it has become worse, and has the gates of items closed whose
// units do not add up.
func (w *Watch) write(look string, number int64, findings []Finding) {
	for _, f := range w.notes.write(look, number, lasting(findings)) {
		if f.ID == ruleHalted {
			w.ports.Log.Warn("nobody can buy an item until an operator has looked", "item", f.Item, "detail", f.Detail)
			continue
		}
		w.ports.Log.Error("the books do not add up", "rule", f.ID, "item", f.Item, "reservation", f.Reservation,
			"table", f.Table, "key", f.Key, "detail", f.Detail)
		if _, begun := w.closing[f.Item]; closes(f.ID) && f.Item != 0 && !begun && !w.ports.OnlyTells {
			w.closing[f.Item] = f
		}
	}
}

// close has nothing more sold of the items whose units do not add up, until an operator has looked.
func (w *Watch) close(ctx context.Context) error {
	var failures []error
	for item, f := range w.closing {
		if err := w.closeItem(ctx, item, f); err != nil && !errors.Is(err, seckill.ErrNotFound) {
			failures = append(failures, fmt.Errorf("close the gate of item %s: %w", item, err))
			continue
		}
		delete(w.closing, item)
	}
	return errors.Join(failures...)
}

func (w *Watch) closeItem(ctx context.Context, item seckill.ID, f Finding) error {
	stock, err := w.ports.Stocks.Get(ctx, item)
	if err != nil || stock.State == seckill.StockClosed || stock.Halted != "" {
		return err
	}
	if err := w.ports.Stocks.Halt(ctx, item, "audit: "+f.ID+": "+f.Detail); err != nil {
		return err
	}
	w.ports.Log.Error("the gate of an item is closed: an operator has to look", "item", item, "rule", f.ID, "detail", f.Detail)
	return nil
}
