package drill

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// What an hour of several drills has to have done, so that it proves much.
const (
	answersEachHour     = 200_000
	killsEachHour       = 300
	serverKillsEachHour = 40
)

// Sum is what several drills add up to. Its report goes into that folder, beside theirs.
func Sum(folder string, drills []Report) Report {
	all := Report{Verdict: Verdict{Found: make(map[string]int64)}, Kills: make(map[string]int), Folder: folder, drills: drills}
	for i, one := range drills {
		if i == 0 {
			all.Began, all.Pairs, all.Embedded, all.Chosen = one.Began, one.Pairs, one.Embedded, one.Chosen
		}
		all.Lasts += one.Lasts
		all.Took += one.Took
		all.turns = append(all.turns, one.turns...)
		for kind, kills := range one.Kills {
			all.Kills[kind] += kills
		}
		all.take(one)
	}
	all.recoveries = recoveries(all.turns)
	return all
}

// take adds the verdict of a drill.
func (r *Report) take(one Report) {
	r.Interrupted, r.Hurried = r.Interrupted || one.Interrupted, r.Hurried || one.Hurried
	r.Shoppers += one.Shoppers
	r.Compared += one.Compared
	r.Counts = r.Counts.plus(one.Counts)
	r.Audit.Checked.Items += one.Audit.Checked.Items
	r.Audit.Checked.Claims += one.Audit.Checked.Claims
	r.Audit.Checked.Orders += one.Audit.Checked.Orders
	for kind, count := range one.Found {
		r.Found[kind] += count
	}
	for _, f := range one.Findings {
		f.Detail = fmt.Sprintf("seed %d: %s", one.Seed, f.Detail)
		r.Findings = append(r.Findings, f)
	}
	for _, note := range one.Notes {
		r.Notes = append(r.Notes, fmt.Sprintf("seed %d: %s", one.Seed, note))
	}
}

func (c Counts) plus(d Counts) Counts {
	return Counts{
		Answers: c.Answers + d.Answers, Promised: c.Promised + d.Promised, Ordered: c.Ordered + d.Ordered, Twins: c.Twins + d.Twins,
		Rejected: c.Rejected + d.Rejected, Pending: c.Pending + d.Pending, Claims: c.Claims + d.Claims, Orders: c.Orders + d.Orders, Untold: c.Untold + d.Untold,
		Paid: c.Paid + d.Paid, Charges: c.Charges + d.Charges, Refunds: c.Refunds + d.Refunds,
	}
}

// goal is how much of something several drills must have done.
type goal struct {
	name      string
	got, want int64
}

func (g goal) isMissed() bool { return g.got < g.want }

func (g goal) String() string {
	if g.isMissed() {
		return fmt.Sprintf("%d, which is TOO FEW: at least %d", g.got, g.want)
	}
	return fmt.Sprintf("%d, of at least %d", g.got, g.want)
}

// goals are that half of the faults broke something, and what several drills have to have done in proportion to how long was
// played, unless somebody chose faults or played the single binary.
func (r Report) goals() []goal {
	goals := []goal{{"faults that broke something", int64(r.struck()), int64(max(1, (len(r.turns)+1)/2))}}
	if len(r.drills) == 0 || r.Chosen || r.Embedded {
		return goals
	}
	share := func(eachHour float64) int64 { return int64(math.Round(eachHour * r.Lasts.Hours())) }
	goals = append(goals,
		goal{"queued answers", r.Counts.Answers, share(answersEachHour)},
		goal{"kill -9", int64(r.Killed()), share(killsEachHour)},
	)
	for _, kind := range []string{redis, rabbitmq, "mariadb"} {
		goals = append(goals, goal{"kill -9 of " + kind, int64(r.Kills[kind]), share(serverKillsEachHour)})
	}
	return goals
}

// drillRows are a line for each drill of several, and one for each goal.
func (r Report) drillRows() (rows []row) {
	if len(r.drills) == 0 {
		return nil
	}
	rows = append(rows, row{"drills", fmt.Sprintf("%d, %s of faults in all", len(r.drills), r.Lasts)})
	for _, one := range r.drills {
		rows = append(rows, row{fmt.Sprintf("  seed %d", one.Seed), one.line()})
	}
	for _, g := range r.goals() {
		rows = append(rows, row{"needed: " + g.name, g.String()})
	}
	return rows
}

// goalsLine says what was not done often enough; nothing if all was.
func (r Report) goalsLine() string {
	var missed []string
	for _, g := range r.goals() {
		if g.isMissed() {
			missed = append(missed, g.name)
		}
	}
	if len(missed) == 0 {
		return ""
	}
	return "It proves TOO LITTLE: not enough " + strings.Join(missed, ", ") + ".\n"
}

// OK says that every promise was kept, soon enough, and that enough was tried, and waited for.
func (r Report) OK() bool {
	return r.Clean() && !r.Hurried && !slices.ContainsFunc(r.recoveries, recovery.isMissed) && !slices.ContainsFunc(r.goals(), goal.isMissed)
}
