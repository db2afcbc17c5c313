package sandbox

import (
	"bytes"
	_ "embed" // the page
	"fmt"
	"net/http"
	"time"
)

//go:embed pay.html
var pageSource string

// page is what people see.
type page struct {
	Title    string
	Amount   string
	Deadline string
	State    State
	Note     string
	Charges  []string
	// Known is false for an address that leads nowhere.
	Known bool
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
	shown := page{Note: note}
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
	header.Set("Cache-Control", "no-store")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	w.WriteHeader(status)
	_, _ = w.Write(text.Bytes()) // who has gone does not read it
}

func (s *Server) pageOf(found session, note string) page {
	shown := page{
		Title: found.Title, Amount: money(found.AmountMinor, found.Currency), State: found.state(s.now()),
		Deadline: found.ExpiresAt.UTC().Format("15:04:05 UTC, 2 January 2006"), Note: note, Known: found.opened,
	}
	for _, c := range found.charges {
		shown.Charges = append(shown.Charges, fmt.Sprintf("%s at %s", money(c.AmountMinor, c.Currency), c.At.UTC().Format("15:04:05 UTC")))
	}
	return shown
}

// money writes an amount as people do: 1290 EUR in minor units is 12.90 EUR.
func money(minor int64, currency string) string {
	switch digits := fraction(currency); digits {
	case 0:
		return fmt.Sprintf("%d %s", minor, currency)
	case 2:
		return fmt.Sprintf("%d.%02d %s", minor/100, minor%100, currency)
	default:
		return fmt.Sprintf("%d.%03d %s", minor/1000, minor%1000, currency)
	}
}

// fraction is how many digits a currency has behind the point (ISO 4217).
func fraction(currency string) int {
	switch currency {
	case "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF":
		return 0
	case "BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND":
		return 3
	default:
		return 2
	}
}
