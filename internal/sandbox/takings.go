package sandbox

import (
	"crypto/rand"
	"net/http"
	"time"
)

// pay takes the money as somebody behaves; promise is the number of the one it keeps, or 0. Refused when the session is
// over, unless that is the point.
func (b *book) pay(now time.Time, id string, behave Behaviour, promise int64) ([]Entry, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.sessions[id]
	if s == nil {
		return nil, noSession(id)
	}
	if state := s.state(now); !s.opened || (state != StateOpen && behave != BehaveLate) {
		return nil, refusef(http.StatusConflict, string(state), "this payment is %s: nothing was taken", state)
	}
	charges := s.takings(behave)
	for i := range charges {
		charges[i].At, charges[i].Kind, charges[i].Txn, charges[i].Promise = now, KindCharged, "ch_"+rand.Text(), promise
		charges[i].Session, charges[i].Reference = s.Session, s.Reference
	}
	if err := b.write(charges...); err != nil {
		return nil, err
	}
	return charges, nil
}

// takings are the amounts that are taken.
func (s *session) takings(behave Behaviour) []Entry {
	right := Entry{AmountMinor: s.AmountMinor, Currency: s.Currency}
	switch behave {
	case BehaveTwice:
		return []Entry{right, right}
	case BehaveWrongAmount:
		right.AmountMinor = wrongAmount(right.AmountMinor)
	case BehaveWrongCurrency:
		right.Currency = wrongCurrency(right.Currency)
	case BehavePay, BehaveLate:
	}
	return []Entry{right}
}

// wrongAmount is a little less, or more where there is no less.
func wrongAmount(right int64) int64 {
	if right > 1 {
		return right - 1
	}
	return right + 1
}

func wrongCurrency(right string) string {
	if right == "USD" {
		return "EUR"
	}
	return "USD"
}

// promise notes a payment that comes by itself.
func (b *book) promise(now time.Time, id string, behave Behaviour, due time.Time) (Entry, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.sessions[id]
	if s == nil {
		return Entry{}, noSession(id)
	}
	promised := []Entry{{At: now, Kind: KindPromised, Session: id, Reference: s.Reference, Behave: behave, DueAt: due}}
	if err := b.write(promised...); err != nil {
		return Entry{}, err
	}
	return promised[0], nil
}

// owed are the promises to keep and the charges to tell of, as a restart finds them.
func (b *book) owed() (promises, untold []Entry) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, promised := range b.promises {
		promises = append(promises, promised)
	}
	for _, charged := range b.untold {
		untold = append(untold, charged)
	}
	return promises, untold
}

// refund gives a charge back, all of it, or finds that it has.
func (b *book) refund(now time.Time, asked refundRequest, key string) (Entry, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.charges[asked.Charge]
	switch {
	case c == nil:
		return Entry{}, refusef(http.StatusNotFound, "not_found", "there is no charge %s", asked.Charge)
	case asked.AmountMinor != c.AmountMinor || asked.Currency != c.Currency:
		return Entry{}, refusef(http.StatusUnprocessableEntity, "wrong_amount", "charge %s is not of that amount", asked.Charge)
	case c.refund.Txn == "":
	case c.refund.Key == key:
		return c.refund, nil
	default:
		return Entry{}, refusef(http.StatusConflict, codeRefunded, "charge %s has been refunded", asked.Charge)
	}
	back := []Entry{{
		At: now, Kind: KindRefunded, Session: c.Session, Reference: c.Reference, Key: key,
		Txn: c.Txn, Refund: "re_" + rand.Text(), AmountMinor: c.AmountMinor, Currency: c.Currency,
	}}
	if err := b.write(back...); err != nil {
		return Entry{}, err
	}
	return back[0], nil
}
