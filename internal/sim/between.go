package sim

// between is where a call of several transactions stands between two of them: others come in, and its process may die.
func (l *loop) between(what string) error {
	outer := l.current
	if outer == nil || outer.process.dead.Load() {
		return nil // carried out by the loop itself, or by somebody who dies of it
	}
	c := &call{process: outer.process, method: between, about: outer.about, errand: outer.errand, release: make(chan struct{}, 1)}
	c.about.says = []any{what}
	c.wait()
	if c.fate == died {
		return errDead // several may at once: their process is dead
	}
	l.current = outer
	if c.fate == refused || c.fate == lost {
		return outer.method.refusedError()
	}
	return nil
}
