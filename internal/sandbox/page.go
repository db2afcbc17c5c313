package sandbox

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	_ "embed" // the page
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

//go:embed pay.html
var pageSource string

// page is what people see.
type page struct {
	// Known is false for an address that leads nowhere.
	Known    bool
	Heading  string
	Amount   string
	Currency string
	State    State
	// Deadline and Left are of an open payment.
	Deadline string
	Left     string
	// Note is about what was just done, Outcome what became of the payment; nil while it is open.
	Note    string
	Outcome *outcome
	Charges []string
}

// outcome says how a payment has ended, in words, in color and with a mark.
type outcome struct {
	Look, Mark string
	Says, Then string
}

func outcomeOf(of session, now time.Time) *outcome {
	taken := len(of.charges) > 0
	switch state := of.state(now); {
	case state == StatePaid:
		return &outcome{"good", "tick", "Paid.", "The shop is told by itself. You can close this page."}
	case state == StateOpen:
		return nil
	case taken:
		return &outcome{"bad", "!", "Paid too late.", "The shop is told by itself and has to give it back."}
	case state == StateExpired:
		return &outcome{"bad", "cross", "The time to pay is over.", "Nothing was taken. What was ordered goes back to the shop."}
	default:
		return &outcome{"bad", "cross", "The shop has called this payment off.", "Nothing was taken, and nothing can be paid here any more."}
	}
}

// landing is where people are led after a payment; the page says so if it is still to come.
func landing(delay time.Duration) string {
	if delay > 0 {
		return "?later"
	}
	return ""
}

func (s *Server) showPage(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	if !wantsPage(r) {
		s.showState(w, http.StatusOK, id)
		return
	}
	note := ""
	if r.URL.Query().Has("later") {
		note = "The payment will be made by itself. Load this page again to see it."
	}
	s.writePage(w, r, http.StatusOK, id, note)
}

func (s *Server) writePage(w http.ResponseWriter, r *http.Request, status int, id, note string) {
	shown := page{Heading: "There is no such payment", Outcome: &outcome{
		"", "?", "This address leads nowhere.", "Perhaps a part of it is missing. Go back to the shop, and pay from there.",
	}}
	found, err := s.book.session(id)
	if err != nil {
		status = refusalOf(err).status
	} else {
		shown = s.pageOf(found, note)
	}
	var text bytes.Buffer
	if err := s.page.Execute(&text, shown); err != nil {
		refused := refusalOf(err)
		s.complain(r, refused, err)
		answer(w, refused.status, refused)
		return
	}
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", "no-store")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Content-Security-Policy", s.policy)
	w.WriteHeader(status)
	_, _ = w.Write(text.Bytes()) // who has gone does not read it
}

// policyOf lets a page have its own style and its own forms, and nothing else.
func policyOf(source string) string {
	_, rest, _ := strings.Cut(source, "<style>")
	style, _, _ := strings.Cut(rest, "</style>")
	sum := sha256.Sum256([]byte(style))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
}

// shownAt is how the page writes a moment of a day that everybody knows.
const shownAt = "15:04:05 UTC"

func (s *Server) pageOf(found session, note string) page {
	if !found.opened {
		return page{Heading: "A payment that was never opened", State: StateClosed, Note: note, Outcome: outcomeOf(found, s.now())}
	}
	now := s.now()
	shown := page{
		Known: true, Heading: cmp.Or(found.Title, "Payment "+found.Reference), State: found.state(now), Note: note,
		Amount: seckill.PlainAmount(found.AmountMinor, found.Currency), Currency: found.Currency,
		Deadline: found.ExpiresAt.UTC().Format(shownAt + ", 2 January 2006"), Left: left(found.ExpiresAt.Sub(now)),
		Outcome: outcomeOf(found, now),
	}
	for _, c := range found.charges {
		line := fmt.Sprintf("%s at %s", seckill.Amount(c.AmountMinor, c.Currency), c.At.UTC().Format(shownAt))
		if back, isBack := found.refunds[c.Txn]; isBack {
			line += ", given back at " + back.UTC().Format(shownAt)
		}
		shown.Charges = append(shown.Charges, line)
	}
	return shown
}

// left writes a time as people do: what is longer than a few minutes in minutes, and so on.
func left(d time.Duration) string {
	for _, unit := range []struct {
		of   time.Duration
		name string
	}{{24 * time.Hour, "days"}, {time.Hour, "hours"}, {time.Minute, "minutes"}} {
		if d >= 2*unit.of {
			return fmt.Sprintf("%d %s", d/unit.of, unit.name)
		}
	}
	return fmt.Sprintf("%d seconds", d/time.Second)
}
