package audit

// notesMaxKept bounds what a watch remembers. What is beyond is said again when there is room.
const notesMaxKept = 1000

// notebook is what a watch has found and not yet seen gone.
type notebook struct {
	places  map[place]map[string]int64 // by look, in which round it saw it last
	changed func(rule string, by int)
}

func newNotebook(changed func(rule string, by int)) *notebook {
	return &notebook{places: make(map[place]map[string]int64), changed: changed}
}

// write notes what a look sees in a round, and returns what nobody has seen before.
func (n *notebook) write(look string, round int64, findings []Finding) (fresh []Finding) {
	for _, f := range findings {
		looks, known := n.places[f.place()]
		if !known && len(n.places) >= notesMaxKept {
			continue
		}
		if !known {
			looks = make(map[string]int64, 1)
			n.places[f.place()] = looks
			n.changed(f.ID, 1)
			fresh = append(fresh, f)
		}
		looks[look] = round
	}
	return fresh
}

// knows says whether all of it has been seen before.
func (n *notebook) knows(findings []Finding) bool {
	for _, f := range findings {
		if _, known := n.places[f.place()]; !known {
			return false
		}
	}
	return true
}

// wipe forgets what a look has seen before this round, and did not see again.
func (n *notebook) wipe(look string, round int64) {
	for at, looks := range n.places {
		if seen, did := looks[look]; !did || seen >= round {
			continue
		}
		delete(looks, look)
		if len(looks) == 0 {
			delete(n.places, at)
			n.changed(at.id, -1)
		}
	}
}
