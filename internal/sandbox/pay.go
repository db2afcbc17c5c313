package sandbox

import (
	"cmp"
	"context"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// delayMax bounds how long a payment may be put off.
const delayMax = time.Hour

// payRequest is how somebody pays, at once or after so many seconds.
type payRequest struct {
	Behave Behaviour `json:"behave"`
	Delay  float64   `json:"delay"`
}

// takePayment is for people, who send a form and get a page, and for programs, who send JSON and get some.
func (s *Server) takePayment(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, bodyMax)
	id := r.PathValue("id")
	delay, err := s.take(r, id)
	switch {
	case err != nil:
		s.refusePayment(w, r, id, err)
	case wantsPage(r):
		// Relative to where they came from: browsers let a form lead to no other origin.
		w.Header().Set("Location", id+landing(delay))
		w.WriteHeader(http.StatusSeeOther)
	case delay > 0:
		s.showState(w, http.StatusAccepted, id)
	default:
		s.showState(w, http.StatusCreated, id)
	}
}

// take takes the money, or promises to.
func (s *Server) take(r *http.Request, id string) (time.Duration, error) {
	asked, err := readPayment(r)
	if err != nil {
		return 0, err
	}
	asked.Behave = cmp.Or(asked.Behave, BehavePay)
	if !slices.Contains(Behaviours(), asked.Behave) {
		return 0, invalid("behave must be one of %v", Behaviours())
	}
	delay, err := seconds("delay", asked.Delay, delayMax)
	if err != nil {
		return 0, err
	}
	now := s.now()
	if delay == 0 {
		return 0, s.charge(now, id, asked.Behave, 0)
	}
	promised, err := s.book.promise(now, id, asked.Behave, now.Add(delay))
	if err != nil {
		return 0, err
	}
	s.promises.add(promised.DueAt, promised)
	return delay, nil
}

func (s *Server) charge(now time.Time, id string, behave Behaviour, promise int64) error {
	charges, err := s.book.pay(now, id, behave, promise)
	if err != nil {
		return err
	}
	for _, charged := range charges {
		s.tell(charged)
	}
	return nil
}

// keepPromises pays what was promised, when it is time. During an outage nobody pays.
func (s *Server) keepPromises(ctx context.Context) {
	for {
		promised, ok := s.promises.take(ctx)
		if !ok {
			return
		}
		now := s.now()
		if away := s.outage.left(now); away > 0 {
			s.promises.add(now.Add(away), promised)
			continue
		}
		if err := s.charge(now, promised.Session, promised.Behave, promised.N); err != nil {
			// A restart tries it again, and is refused again: what is over stays over.
			s.options.Log.Info("a promised payment was not made", "session", promised.Session, "reference", promised.Reference, "error", err)
		}
	}
}

// readPayment reads a form, JSON, or nothing at all.
func readPayment(r *http.Request) (asked payRequest, err error) {
	if r.ContentLength == 0 {
		return asked, nil // whoever just posts here just pays
	}
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err == nil && media == jsonType {
		return asked, decode(r, &asked)
	}
	if err := r.ParseForm(); err != nil {
		return asked, invalid("the form cannot be read")
	}
	asked.Behave = Behaviour(r.PostForm.Get("behave"))
	if text := r.PostForm.Get("delay"); text != "" {
		if asked.Delay, err = strconv.ParseFloat(text, 64); err != nil {
			return asked, invalid("delay must be a number of seconds")
		}
	}
	return asked, nil
}

func wantsPage(r *http.Request) bool { return strings.Contains(r.Header.Get("Accept"), "text/html") }

// showState answers programs.
func (s *Server) showState(w http.ResponseWriter, status int, id string) {
	found, err := s.book.session(id)
	if err != nil {
		refused := refusalOf(err)
		answer(w, refused.status, refused)
		return
	}
	answer(w, status, s.view(found))
}

func (s *Server) refusePayment(w http.ResponseWriter, r *http.Request, id string, err error) {
	refused := refusalOf(err)
	s.complain(r, refused, err)
	if wantsPage(r) {
		s.writePage(w, r, refused.status, id, sentence(refused.Message))
		return
	}
	answer(w, refused.status, refused)
}

// sentence is what programs are told, for people.
func sentence(message string) string {
	first, size := utf8.DecodeRuneInString(message)
	return string(unicode.ToUpper(first)) + message[size:] + "."
}
