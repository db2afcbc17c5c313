package audit

import "fmt"

// notesPerRule bounds what a watch remembers of one rule, so that a flood of one hides no other. What is beyond is neither
// logged nor counted, but and_more is, once for each such rule: what is counted of that one is then the least there is.
// Rules that close gates have no such bound. An item breaks each of them once at most, so what is remembered of these is
// bounded by the shard's items times these rules.
const notesPerRule = 1000

// notebook is what a watch has found and not yet seen gone.
type notebook struct {
	notes   map[place]note
	looks   map[string]map[place]int64 // what each look sees, and in which round it saw it last
	kept    map[string]int             // by rule
	changed func(rule string, by int)
}

// note is what is kept of a finding; its place is known.
type note struct {
	looks  int // how many see it
	extent extent
}

func newNotebook(changed func(rule string, by int)) *notebook {
	return &notebook{
		notes: make(map[place]note), looks: make(map[string]map[place]int64), kept: make(map[string]int), changed: changed,
	}
}

// write notes what a look sees in a round, and returns what nobody has seen before, or not as bad.
func (n *notebook) write(look string, round int64, findings []Finding) (fresh []Finding) {
	for _, f := range findings {
		f = n.noted(f)
		at := f.place()
		known, is := n.notes[at]
		if !is {
			n.kept[f.ID]++
			n.changed(f.ID, 1)
		}
		if !is || f.extent.exceeds(known.extent) {
			fresh = append(fresh, f)
		}
		if n.see(look, at, round) {
			known.looks++
		}
		known.extent = f.extent
		n.notes[at] = known
	}
	return fresh
}

// see returns true when this look has not seen it before.
func (n *notebook) see(look string, at place, round int64) bool {
	seen, has := n.looks[look]
	if !has {
		seen = make(map[place]int64, 1)
		n.looks[look] = seen
	}
	_, before := seen[at]
	seen[at] = round
	return !before
}

// noted is what is noted of a finding: itself, or that there is more of its rule than there is room for.
func (n *notebook) noted(f Finding) Finding {
	if _, known := n.notes[f.place()]; known || closes(f.ID) || n.kept[f.ID] < notesPerRule {
		return f
	}
	return Finding{
		ID: ruleAndMore, Table: tableFindings, Key: f.ID,
		Detail: fmt.Sprintf("there is more that breaks %s than the %d that are counted", f.ID, notesPerRule),
	}
}

// knows says whether to write all of it would tell nothing new.
func (n *notebook) knows(findings []Finding) bool {
	for _, f := range findings {
		f = n.noted(f)
		if known, is := n.notes[f.place()]; !is || f.extent.exceeds(known.extent) {
			return false
		}
	}
	return true
}

// sees says whether a look has last seen a rule of this kind broken.
func (n *notebook) sees(look string, kind func(rule string) bool) bool {
	for at := range n.looks[look] {
		if kind(at.id) {
			return true
		}
	}
	return false
}

// wipe forgets what a look has seen before this round, and did not see again.
func (n *notebook) wipe(look string, round int64) {
	for at, seen := range n.looks[look] {
		if seen >= round {
			continue
		}
		delete(n.looks[look], at)
		known := n.notes[at]
		if known.looks--; known.looks > 0 {
			n.notes[at] = known
			continue
		}
		delete(n.notes, at)
		n.kept[at.id]--
		n.changed(at.id, -1)
	}
	if len(n.looks[look]) == 0 {
		delete(n.looks, look)
	}
}
