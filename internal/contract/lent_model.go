package contract

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// lentModel is an item in Redis as one caller after the other would find it: open, inside its window, and nothing of it sent.
// It is never changed; every call makes another one.
type lentModel struct {
	available, sold int64
	issue, version  int64
	limit           int64
	paused          bool
	held            map[seckill.UserID][]seckill.BuyerEntry
}

func (m lentModel) equal(other lentModel) bool {
	return m.available == other.available && m.sold == other.sold && m.issue == other.issue && m.version == other.version &&
		m.limit == other.limit && m.paused == other.paused && maps.EqualFunc(m.held, other.held, slices.Equal)
}

// holding is the model with other entries of a user.
func (m lentModel) holding(user seckill.UserID, entries []seckill.BuyerEntry) lentModel {
	m.held = maps.Clone(m.held)
	m.held[user] = entries
	return m
}

// lentCall is one call to an item. What it answers, and what the model would have answered, are compared as texts.
type lentCall interface {
	do(i *lentItem) (string, error)
	expect(m lentModel) (string, lentModel)
}

// lentReserveCall reserves; each request sees the ones before it.
type lentReserveCall struct {
	batch    seckill.ID
	requests []seckill.ReserveRequest
}

func (c lentReserveCall) do(i *lentItem) (string, error) {
	reply, err := i.Lent.Reserve(i.Context(), i.id, c.batch, c.requests)
	if err != nil {
		return "", err
	}
	var promised []seckill.Reserved
	if reply.Own.Bytes != nil {
		m, err := seckill.DecodeMessage(reply.Own.Bytes)
		if err != nil || m.Sold != reply.Sold || m.Batch != c.batch || m.Item != i.id || m.Epoch != i.load.Epoch {
			return fmt.Sprintf("a message that says %+v, %v", m, err), nil
		}
		promised = m.Reservations
	}
	return c.text(reply.Sold, reply.Available, reply.Outcomes, promised), nil
}

func (lentReserveCall) text(sold, available int64, outcomes []seckill.ReserveOutcome, promised []seckill.Reserved) string {
	return fmt.Sprintf("sold %d, %d left, %+v, promised %v", sold, available, outcomes, promised)
}

func (c lentReserveCall) expect(m lentModel) (string, lentModel) {
	outcomes := make([]seckill.ReserveOutcome, len(c.requests))
	var promised []seckill.Reserved
	for n, r := range c.requests {
		outcomes[n] = m.decide(r, c.batch)
		if outcomes[n].Code != seckill.ReserveAccepted {
			continue
		}
		m.available, m.sold = m.available-r.Quantity, m.sold+r.Quantity
		entry := seckill.BuyerEntry{ID: r.ID, Quantity: r.Quantity, KeyHash: r.KeyHash, Batch: c.batch}
		m = m.holding(r.User, append(slices.Clip(m.held[r.User]), entry))
		promised = append(promised, seckill.Reserved(r))
	}
	return c.text(m.sold, m.available, outcomes, promised), m
}

// decide is the order of reserve.lua: what is known first, then the sale, the limit and the stock.
func (m lentModel) decide(r seckill.ReserveRequest, batch seckill.ID) seckill.ReserveOutcome {
	var sum int64
	var held []seckill.BuyerEntry
	for _, entry := range m.held[r.User] {
		if entry.ID == r.ID || entry.KeyHash == r.KeyHash {
			return seckill.ReserveOutcome{Code: known(entry, r.Quantity), ID: entry.ID, Quantity: entry.Quantity, Batch: entry.Batch}
		}
		sum += entry.Quantity
		if entry.Quantity > 0 {
			held = append(held, entry)
		}
	}
	out := seckill.ReserveOutcome{Code: seckill.ReserveAccepted, ID: r.ID, Quantity: r.Quantity, Batch: batch}
	switch {
	case m.paused:
		out.Code = seckill.ReservePaused
	case sum+r.Quantity > m.limit:
		out.Code, out.Held = seckill.ReserveLimitReached, held
	case m.available < r.Quantity:
		out.Code, out.Available = seckill.ReserveSoldOut, m.available
	}
	return out
}

// known is what a repeat hears of an entry.
func known(entry seckill.BuyerEntry, quantity int64) seckill.ReserveCode {
	switch {
	case entry.Quantity == 0:
		return seckill.ReserveGivenBack
	case entry.Quantity != quantity:
		return seckill.ReserveMismatch
	case entry.Batch != 0:
		return seckill.ReserveUnsent
	default:
		return seckill.ReserveReplayed
	}
}

// lentLookCall looks for one reservation by id and by key, and at all that the user holds.
type lentLookCall struct{ request seckill.ReserveRequest }

func (c lentLookCall) do(i *lentItem) (string, error) {
	answers, err := i.Lent.Look(i.Context(), i.id, []seckill.LookRequest{
		{User: c.request.User, ID: c.request.ID}, {User: c.request.User, KeyHash: c.request.KeyHash}, {User: c.request.User},
	})
	return fmt.Sprintf("%+v", answers), err
}

func (c lentLookCall) expect(m lentModel) (string, lentModel) {
	answers := make([]seckill.LookAnswer, 3)
	for _, entry := range m.held[c.request.User] {
		entry.Unsent = entry.Batch != 0
		for n, isIt := range []bool{entry.ID == c.request.ID, entry.KeyHash == c.request.KeyHash} {
			if isIt && !answers[n].Found {
				answers[n] = seckill.LookAnswer{Found: true, Entry: entry}
			}
		}
		answers[2].Held = append(answers[2].Held, entry)
	}
	return fmt.Sprintf("%+v", answers), m
}

// lentStateCall reads the item's numbers.
type lentStateCall struct{}

func (lentStateCall) do(i *lentItem) (string, error) {
	states, err := i.Lent.States(i.Context(), []seckill.ID{i.id})
	if err != nil {
		return "", err
	}
	s := states[0]
	return lentNumbers(lentModel{available: s.Available, sold: s.Sold, issue: s.Issue, limit: s.Limit, paused: s.Paused}), nil
}

func (lentStateCall) expect(m lentModel) (string, lentModel) { return lentNumbers(m), m }

func lentNumbers(m lentModel) string {
	return fmt.Sprintf("%d left, %d sold, issue %d, limit %d, paused %t", m.available, m.sold, m.issue, m.limit, m.paused)
}

// lentIssueCall lends more units.
type lentIssueCall struct{ number, units int64 }

func (c lentIssueCall) do(i *lentItem) (string, error) {
	applied, err := i.Lent.Issue(i.Context(), i.move(c.number, c.units))
	if errors.Is(err, seckill.ErrNotLive) {
		return "a gap", nil
	}
	return fmt.Sprint(applied), err
}

func (c lentIssueCall) expect(m lentModel) (string, lentModel) {
	switch {
	case c.number > m.issue+1:
		return "a gap", m
	case c.number <= m.issue:
		return fmt.Sprint(false), m
	}
	m.issue, m.available = c.number, m.available+c.units
	return fmt.Sprint(true), m
}

// lentBackCall takes a reservation back, or a part of it; perhaps before Redis has heard of it.
type lentBackCall struct {
	request  seckill.ReserveRequest
	quantity int64
}

func (c lentBackCall) entry() seckill.BuyerEntry {
	return seckill.BuyerEntry{ID: c.request.ID, Quantity: c.quantity, KeyHash: c.request.KeyHash}
}

func (c lentBackCall) do(i *lentItem) (string, error) {
	outcome, err := i.Lent.SetBuyer(i.Context(), i.id, i.load.Epoch, c.request.User, c.entry())
	return fmt.Sprint(outcome), err
}

func (c lentBackCall) expect(m lentModel) (string, lentModel) {
	entries := slices.Clone(m.held[c.request.User])
	at := slices.IndexFunc(entries, func(entry seckill.BuyerEntry) bool { return entry.ID == c.request.ID })
	if at < 0 {
		entries = append(entries, c.entry())
	} else {
		entries[at].Quantity = min(entries[at].Quantity, c.quantity)
	}
	return fmt.Sprint(seckill.BuyerApplied), m.holding(c.request.User, entries)
}

// lentAdjustCall pauses, resumes and moves the limit; a version that is older than the known one does nothing.
type lentAdjustCall struct {
	version, limit int64
	paused         bool
}

func (c lentAdjustCall) do(i *lentItem) (string, error) {
	renewal := i.renewal()
	renewal.Version, renewal.Limit, renewal.Paused = c.version, c.limit, c.paused
	return "", i.Lent.Renew(i.Context(), renewal)
}

func (c lentAdjustCall) expect(m lentModel) (string, lentModel) {
	if c.version >= m.version {
		m.version, m.limit, m.paused = c.version, c.limit, c.paused
	}
	return "", m
}
