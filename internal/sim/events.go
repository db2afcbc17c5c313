package sim

// events is a heap, the next one first. It is a schedule's busiest data: by hand it costs half of container/heap.
type events []*event

func (e *event) before(other *event) bool {
	if e.at != other.at {
		return e.at < other.at
	}
	return e.order < other.order
}

func (q *events) push(e *event) {
	*q = append(*q, e)
	all, at := *q, len(*q)-1
	for at > 0 {
		parent := (at - 1) / 2
		if !e.before(all[parent]) {
			break
		}
		all[at], at = all[parent], parent
	}
	all[at] = e
}

// pop takes the next one.
func (q *events) pop() *event {
	all := *q
	next, last := all[0], all[len(all)-1]
	all[len(all)-1] = nil
	all = all[:len(all)-1]
	*q = all
	if len(all) > 0 {
		all.sink(last)
	}
	return next
}

// sink puts an event in the place of the first.
func (q events) sink(e *event) {
	at := 0
	for {
		child := 2*at + 1
		if child >= len(q) {
			break
		}
		if right := child + 1; right < len(q) && q[right].before(q[child]) {
			child = right
		}
		if !q[child].before(e) {
			break
		}
		q[at], at = q[child], child
	}
	q[at] = e
}
