package sandbox

import (
	"cmp"
	"net/http"
	"strconv"
	"time"
	"unicode/utf8"
)

// Bounds of what is asked for.
const (
	titleMax     = 500
	referenceMax = 128
	amountMax    = 1e15
	yearMax      = 9999
	linesDefault = 500
	linesMax     = 1000
)

// sessionRequest asks for a payment. The reference is what the shop calls it, the idempotency key if it says nothing else.
type sessionRequest struct {
	Reference   string    `json:"reference"`
	AmountMinor int64     `json:"amount_minor"`
	Currency    string    `json:"currency"`
	Title       string    `json:"title"`
	ExpiresAt   time.Time `json:"expires_at"`
}

// sessionView is a payment as the shop sees it.
type sessionView struct {
	ID          string       `json:"id"`
	URL         string       `json:"url"`
	Reference   string       `json:"reference"`
	State       State        `json:"state"`
	AmountMinor int64        `json:"amount_minor"`
	Currency    string       `json:"currency,omitempty"`
	ExpiresAt   time.Time    `json:"expires_at,omitzero"`
	Charges     []chargeView `json:"charges"`
}

// chargeView is money that arrived.
type chargeView struct {
	ID          string    `json:"id"`
	AmountMinor int64     `json:"amount_minor"`
	Currency    string    `json:"currency"`
	At          time.Time `json:"at"`
}

func (s *Server) view(of session) sessionView {
	view := sessionView{
		ID: of.Session, URL: s.options.URL + "/pay/" + of.Session, Reference: of.Reference, State: of.state(s.now()),
		AmountMinor: of.AmountMinor, Currency: of.Currency, ExpiresAt: of.ExpiresAt, Charges: []chargeView{},
	}
	for _, c := range of.charges {
		view.Charges = append(view.Charges, chargeView{c.Txn, c.AmountMinor, c.Currency, c.At})
	}
	return view
}

func (s *Server) openSession(w http.ResponseWriter, r *http.Request) error {
	var asked sessionRequest
	if err := decode(r, &asked); err != nil {
		return err
	}
	key := r.Header.Get(keyHeader)
	asked.Reference = cmp.Or(asked.Reference, key)
	if err := asked.check(key); err != nil {
		return err
	}
	opened, isNew, err := s.book.open(Entry{
		At: s.now(), Reference: asked.Reference, Key: key, Title: asked.Title, ExpiresAt: asked.ExpiresAt.UTC(),
		AmountMinor: asked.AmountMinor, Currency: asked.Currency,
	})
	if err != nil {
		return err
	}
	status := http.StatusOK
	if isNew {
		status = http.StatusCreated
	}
	answer(w, status, s.view(opened))
	return nil
}

func (q sessionRequest) check(key string) error {
	switch {
	case key == "" || len(key) > referenceMax || len(q.Reference) > referenceMax:
		return invalid("the header %s must be there; it and the reference have at most %d characters", keyHeader, referenceMax)
	case q.AmountMinor < 0 || q.AmountMinor > amountMax:
		return invalid("amount_minor must be from 0 to %.0f", amountMax)
	case !isCurrency(q.Currency):
		return invalid("currency must be three capital letters")
	case utf8.RuneCountInString(q.Title) > titleMax:
		return invalid("title has at most %d characters", titleMax)
	case q.ExpiresAt.IsZero():
		return invalid("expires_at is missing")
	case q.ExpiresAt.UTC().Year() < 0 || q.ExpiresAt.UTC().Year() > yearMax:
		return invalid("expires_at must be of a year that has four digits") // JSON has no other
	default:
		return nil
	}
}

func invalid(format string, args ...any) error {
	return refusef(http.StatusBadRequest, codeInvalid, format, args...)
}

func isCurrency(text string) bool {
	if len(text) != 3 {
		return false
	}
	for i := range len(text) {
		if text[i] < 'A' || text[i] > 'Z' {
			return false
		}
	}
	return true
}

func (s *Server) showSession(w http.ResponseWriter, r *http.Request) error {
	found, err := s.book.session(r.PathValue("id"))
	if err != nil {
		return err
	}
	answer(w, http.StatusOK, s.view(found))
	return nil
}

func (s *Server) expireSession(w http.ResponseWriter, r *http.Request) error {
	ended, err := s.book.expire(s.now(), r.PathValue("id"))
	if err != nil {
		return err
	}
	answer(w, http.StatusOK, s.view(ended))
	return nil
}

func (s *Server) expireReference(w http.ResponseWriter, r *http.Request) error {
	reference := r.PathValue("reference")
	if len(reference) > referenceMax {
		return invalid("a reference has at most %d characters", referenceMax)
	}
	ended, err := s.book.expireReference(s.now(), reference)
	if err != nil {
		return err
	}
	answer(w, http.StatusOK, s.view(ended))
	return nil
}

// showLedger answers the lines as they are in the file.
func (s *Server) showLedger(w http.ResponseWriter, r *http.Request) error {
	after, err := number(r, "after", 0)
	if err != nil {
		return err
	}
	limit, err := number(r, "limit", linesDefault)
	if err != nil {
		return err
	}
	lines, err := s.book.lines(after, int(min(limit, linesMax)))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	_, _ = w.Write(lines) // who has gone does not read it
	return nil
}

func number(r *http.Request, name string, otherwise int64) (int64, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, invalid("%s must be a number from 0", name)
	}
	return n, nil
}
