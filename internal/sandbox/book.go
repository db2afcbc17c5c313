package sandbox

import (
	"crypto/rand"
	"fmt"
	"maps"
	"sync"
	"time"
)

// book is everything that the lines of the ledger say. A change is written before it is made.
type book struct {
	mu          sync.Mutex
	ledger      *ledger
	sessions    map[string]*session
	byReference map[string]*session
	charges     map[string]*charge
	promises    map[int64]Entry
	// untold are the charges that the webhook has still to hear of.
	untold map[string]Entry
}

// session is one payment. One that was closed before it was opened has no price.
type session struct {
	Entry

	opened  bool
	paid    bool
	closed  bool
	charges []Entry
	// refunds are when charges went back.
	refunds map[string]time.Time
}

// charge is money that arrived, and perhaps went back.
type charge struct {
	Entry

	refund Entry
}

// State is where a session stands.
type State string

// The states of a session.
const (
	StateOpen    State = "open"
	StatePaid    State = "paid"
	StateExpired State = "expired"
	StateClosed  State = "closed"
)

func (s *session) state(now time.Time) State {
	switch {
	case s.paid:
		return StatePaid
	case s.closed:
		return StateClosed
	case !now.Before(s.ExpiresAt):
		return StateExpired
	default:
		return StateOpen
	}
}

func openBook(path string) (*book, error) {
	b := &book{
		sessions: map[string]*session{}, byReference: map[string]*session{}, charges: map[string]*charge{},
		promises: map[int64]Entry{}, untold: map[string]Entry{},
	}
	var err error
	b.ledger, err = openLedger(path, b.apply)
	return b, err
}

func (b *book) close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.ledger.close()
}

// write makes a change: in the file first. The entries get their numbers.
func (b *book) write(entries ...Entry) error {
	if err := b.ledger.append(entries); err != nil {
		return err
	}
	for _, entry := range entries {
		if err := b.apply(entry); err != nil {
			return err
		}
	}
	return nil
}

// apply makes a change that is in the file. It looks at nothing but the entries, so that a restart comes to the same.
func (b *book) apply(e Entry) error {
	if e.Kind == KindOpened {
		return b.applyOpened(e)
	}
	if e.Kind == KindClosed && b.sessions[e.Session] == nil {
		b.add(&session{Entry: e, closed: true})
		return nil
	}
	s := b.sessions[e.Session]
	if s == nil {
		return fmt.Errorf("there is no session %s", e.Session)
	}
	switch e.Kind {
	case KindClosed:
		s.closed = true
	case KindPromised:
		b.promises[e.N] = e
	case KindCharged:
		s.paid = s.paid || s.state(e.At) == StateOpen
		s.charges = append(s.charges, e)
		b.charges[e.Txn] = &charge{Entry: e}
		b.untold[e.Txn] = e
		delete(b.promises, e.Promise)
	case KindRefunded, KindTold, KindGivenUp:
		return b.applyToCharge(e)
	default:
		return fmt.Errorf("the kind %q is not known", e.Kind)
	}
	return nil
}

func (b *book) applyOpened(e Entry) error {
	if b.sessions[e.Session] != nil || b.byReference[e.Reference] != nil {
		return fmt.Errorf("session %s is there twice", e.Session)
	}
	b.add(&session{Entry: e, opened: true})
	return nil
}

func (b *book) applyToCharge(e Entry) error {
	c := b.charges[e.Txn]
	if c == nil {
		return fmt.Errorf("there is no charge %s", e.Txn)
	}
	if e.Kind == KindRefunded {
		c.refund = e
		b.sessions[e.Session].refunds[e.Txn] = e.At
	} else {
		delete(b.untold, e.Txn)
	}
	return nil
}

func (b *book) add(s *session) {
	s.refunds = map[string]time.Time{}
	b.sessions[s.Session], b.byReference[s.Reference] = s, s
}

// snapshot copies a session for use outside the lock.
func (s *session) snapshot() session {
	copied := *s
	copied.charges = append([]Entry(nil), s.charges...)
	copied.refunds = maps.Clone(s.refunds)
	return copied
}

// open makes a session, or finds the one of that reference. The title and the deadline may differ from the first time: an
// operator may have corrected the one, and clocks round the other.
func (b *book) open(asked Entry) (session, bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if known := b.byReference[asked.Reference]; known != nil {
		if known.opened && (known.Key != asked.Key || known.AmountMinor != asked.AmountMinor || known.Currency != asked.Currency) {
			return session{}, false, refusef(409, "idempotency_mismatch", "reference %s or its key is another payment's", asked.Reference)
		}
		return known.snapshot(), false, nil
	}
	asked.Kind, asked.Session = KindOpened, "cs_"+rand.Text()
	if err := b.write(asked); err != nil {
		return session{}, false, err
	}
	return b.sessions[asked.Session].snapshot(), true, nil
}

// session finds one, or refuses.
func (b *book) session(id string) (session, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.sessions[id]
	if s == nil {
		return session{}, noSession(id)
	}
	return s.snapshot(), nil
}

func noSession(id string) error { return refusef(404, "not_found", "there is no session %s", id) }

// expire closes a session unless it is over anyway.
func (b *book) expire(now time.Time, id string) (session, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.sessions[id]
	if s == nil {
		return session{}, noSession(id)
	}
	return b.end(now, s)
}

// expireReference does so by the shop's name. A reference that is not known is closed for ever: the request that opens it
// may still be on its way.
func (b *book) expireReference(now time.Time, reference string) (session, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s := b.byReference[reference]; s != nil {
		return b.end(now, s)
	}
	closed := Entry{At: now, Kind: KindClosed, Session: "cs_" + rand.Text(), Reference: reference}
	if err := b.write(closed); err != nil {
		return session{}, err
	}
	return b.sessions[closed.Session].snapshot(), nil
}

// end closes what has only expired, too: a clock that steps back opens nothing again.
func (b *book) end(now time.Time, s *session) (session, error) {
	if !s.paid && !s.closed {
		if err := b.write(Entry{At: now, Kind: KindClosed, Session: s.Session, Reference: s.Reference}); err != nil {
			return session{}, err
		}
	}
	return s.snapshot(), nil
}

// told notes that the webhook has confirmed a charge, or is not told any more.
func (b *book) told(now time.Time, charged Entry, kind Kind) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.write(Entry{At: now, Kind: kind, Session: charged.Session, Reference: charged.Reference, Txn: charged.Txn})
}

// lines are those of the ledger behind `after`.
func (b *book) lines(after int64, limit int) ([]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.ledger.read(after, limit)
}
