package contract

import (
	"testing"

	"github.com/seckill-dev/seckill/internal/seckill"
)

func (i *lentItem) move(number, units int64) seckill.Move {
	return seckill.Move{Item: i.id, Kind: seckill.MoveIssue, Epoch: i.load.Epoch, Issue: number, Units: units}
}

func (i *lentItem) issued(wantIssue, wantAvailable int64) {
	i.Helper()
	if s := i.state(); s.Issue != wantIssue || s.Available != wantAvailable {
		i.Fatalf("issue %d with %d available, want %d with %d", s.Issue, s.Available, wantIssue, wantAvailable)
	}
}

func lentIssue() []lentCase {
	return []lentCase{
		{"trap 26: applies each number once", lentIssuesOnce},
		{"refuses a gap", lentRefusesGap},
		{"trap 20: belongs to its epoch, and numbers do not restart", lentIssuesInEpoch},
		{"waits until the epoch is opened", lentIssuesWhenOpened},
		{"sells again what was sold out", lentSellsAgain},
	}
}

// issue applies a move and tells whether it was new.
func (i *lentItem) issue(move seckill.Move) bool {
	i.Helper()
	applied, err := i.Lent.Issue(i.Context(), move)
	i.must(err)
	return applied
}

func (i *lentItem) refusesIssue(move seckill.Move) {
	i.Helper()
	_, err := i.Lent.Issue(i.Context(), move)
	i.refused(err, seckill.ErrNotLive)
}

// Moves are sent again whenever Redis seems to be behind.
func lentIssuesOnce(t *testing.T, o lentOpener) {
	t.Helper()
	i := o.open(t)
	i.reserve(i.ask("ann", 2, ""))
	for look := range 2 {
		if applied := i.issue(i.move(lentFirst+1, 5)); applied != (look == 0) {
			t.Fatalf("says %t the time after %d", applied, look)
		}
		i.issued(lentFirst+1, lentStock-2+5)
	}
	i.issue(i.move(lentFirst, 100))
	i.issue(i.move(1, 100))
	i.issued(lentFirst+1, lentStock-2+5)
	i.issue(i.move(lentFirst+2, 1))
	i.issued(lentFirst+2, lentStock-2+5+1)
}

func lentRefusesGap(t *testing.T, o lentOpener) {
	t.Helper()
	i := o.open(t)
	i.refusesIssue(i.move(lentFirst+2, 5))
	i.issued(lentFirst, lentStock)
}

// An old issue would be applied to the new epoch.
func lentIssuesInEpoch(t *testing.T, o lentOpener) {
	t.Helper()
	i := o.open(t)
	old := i.move(lentFirst+1, 5)
	i.reload(func(l *seckill.Load) { l.Issue, l.Available = lentFirst+2, 20 })
	i.refusesIssue(old)
	i.issue(i.move(lentFirst+1, 5))
	i.issued(lentFirst+2, 20)
	i.issue(i.move(lentFirst+3, 5))
	i.issued(lentFirst+3, 25)
}

func lentIssuesWhenOpened(t *testing.T, o lentOpener) {
	t.Helper()
	i := o.fresh(t)
	i.must(i.Lent.Load(t.Context(), i.load))
	i.refusesIssue(i.move(lentFirst+1, 5))
	i.issued(lentFirst, lentStock)
}

func lentSellsAgain(t *testing.T, o lentOpener) {
	t.Helper()
	i := o.open(t, func(l *seckill.Load) { l.Available = 0 })
	i.one(seckill.ReserveSoldOut, i.ask("ann", 1, ""))
	i.issue(i.move(lentFirst+1, 1))
	i.one(seckill.ReserveAccepted, i.ask("ann", 1, ""))
}
