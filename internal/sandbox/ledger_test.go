package sandbox_test

import (
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seckill-dev/seckill/internal/sandbox"
	"github.com/seckill-dev/seckill/internal/seckill"
)

func TestLedger(t *testing.T) {
	t.Parallel()
	t.Run("has after a kill what was answered, and drops a torn last line", ledgerOutlivesKill)
	t.Run("is read in pages", ledgerIsPaged)
	t.Run("says after a kill of every payment what it said before, whatever came at once", ledgerTellsTheSame)
	t.Run("is written before anything is answered: where it cannot be, nothing is taken", ledgerComesFirst)
}

// ledgerTellsTheSame has several callers do all kinds of things to a few payments.
func ledgerTellsTheSame(t *testing.T) {
	t.Parallel()
	const payments, callers, acts = 12, 6, 40
	f := open(t)
	var all []seckill.Payment
	for id := range seckill.ID(payments) {
		all = append(all, f.payment(t, id+1))
	}
	var working sync.WaitGroup
	for caller := range callers {
		random := rand.New(rand.NewPCG(7, uint64(caller)))
		working.Go(func() {
			for range acts {
				f.actRandomly(t, random, all[random.IntN(payments)])
			}
		})
	}
	working.Wait()
	eventually(t, "all is told", func() bool { return f.count(t, sandbox.KindTold) == f.count(t, sandbox.KindCharged) })
	before := f.states(t, all)
	f = f.crash(t, "{")
	if diff := cmp.Diff(before, f.states(t, all)); diff != "" {
		t.Error(diff)
	}
	f.wantSound(t)
}

// actRandomly pays, closes or refunds.
func (f *fixture) actRandomly(t testing.TB, random *rand.Rand, payment seckill.Payment) {
	t.Helper()
	behaviours := sandbox.Behaviours()
	switch random.IntN(10) {
	case 0:
		f.close(t, payment)
	case 1:
		for _, c := range f.close(t, payment) {
			must(t, f.Refund(t.Context(), seckill.Refund{Txn: c.Txn, AmountMinor: c.AmountMinor, Currency: c.Currency}))
		}
	case 2:
		f.clock.Advance(time.Minute)
	default:
		f.pay(t, payment.Session, `{"behave":"`+string(behaviours[random.IntN(len(behaviours))])+`"}`)
	}
}

// states are what the API says of payments.
func (f *fixture) states(t testing.TB, payments []seckill.Payment) (states []string) {
	t.Helper()
	for _, p := range payments {
		_, answer := f.api(t, http.MethodGet, "/v1/sessions/"+p.Session, "", "")
		_, answer, _ = strings.Cut(answer, `"reference"`) // its address is another one after the kill
		states = append(states, answer)
	}
	return states
}

// wantSound wants a ledger without gaps in which everything is once.
func (f *fixture) wantSound(t testing.TB) {
	t.Helper()
	seen := map[string]bool{}
	for i, e := range f.entries(t) {
		name := string(e.Kind) + e.Txn
		if e.Txn == "" {
			name += e.Session
		}
		if e.N != int64(i)+1 || seen[name] {
			t.Errorf("entry %d is %+v", i+1, e)
		}
		seen[name] = true
	}
}

func ledgerComesFirst(t *testing.T) {
	t.Parallel()
	server, err := sandbox.NewServer(serverOptions(t))
	must(t, err)
	listening := httptest.NewServer(server.Handler())
	t.Cleanup(listening.Close)
	f := &fixture{url: listening.URL}
	body := `{"amount_minor":1,"currency":"EUR","title":"Mug","expires_at":"2090-01-01T00:00:00Z"}`
	_, answer := f.api(t, http.MethodPost, "/v1/sessions", "7", body)
	_, answer, _ = strings.Cut(answer, `"id":"`)
	session, _, _ := strings.Cut(answer, `"`)
	must(t, server.Close()) // as good as a full disk
	f.wantPay(t, http.StatusInternalServerError, session, `{}`)
	if status, answer := f.api(t, http.MethodGet, "/v1/sessions/"+session, "", ""); status != http.StatusOK || !strings.Contains(answer, `"charges":[]`) {
		t.Errorf("answers %d: %s", status, answer)
	}
	if status, _ := f.api(t, http.MethodPost, "/v1/sessions", "8", body); status != http.StatusInternalServerError {
		t.Errorf("answers %d", status)
	}
}

func ledgerOutlivesKill(t *testing.T) {
	t.Parallel()
	f := open(t)
	paid, closed, left := f.payment(t, 1), f.payment(t, 2), f.payment(t, 3)
	f.wantPay(t, http201, paid.Session, `{}`)
	eventually(t, "told", func() bool { return f.count(t, sandbox.KindTold) == 1 })
	charges := f.close(t, paid)
	refund := seckill.Refund{Txn: charges[0].Txn, AmountMinor: 1290, Currency: "EUR"}
	must(t, f.Refund(t.Context(), refund))
	f.close(t, closed)
	before := f.entries(t)

	f = f.crash(t, `{"n":99,"kind":"charg`)
	if after := f.entries(t); !cmp.Equal(before, after) {
		t.Errorf("the ledger was and is\n%+v\n%+v", before, after)
	}
	f.wantPay(t, http409, closed.Session, `{}`)
	f.wantPay(t, http409, paid.Session, `{}`)
	must(t, f.Refund(t.Context(), refund))
	if n := f.count(t, sandbox.KindRefunded); n != 1 {
		t.Errorf("refunded %d times", n)
	}
	f.wantPay(t, http201, left.Session, `{}`)
	for i, e := range f.entries(t) {
		if e.N != int64(i)+1 {
			t.Errorf("entry %d has the number %d", i+1, e.N)
		}
	}
}

func ledgerIsPaged(t *testing.T) {
	t.Parallel()
	f := open(t)
	for id := range seckill.ID(5) {
		f.payment(t, id+1)
	}
	for _, page := range []struct {
		after int64
		limit int
		want  int
	}{{0, 3, 3}, {3, 3, 2}, {5, 3, 0}, {500, 3, 0}, {0, 0, 0}, {0, 1 << 30, 5}} {
		entries, err := f.Ledger(t.Context(), page.after, page.limit)
		must(t, err)
		if len(entries) != page.want || (page.want > 0 && entries[0].N != page.after+1) {
			t.Errorf("%d after %d are %+v", page.limit, page.after, entries)
		}
	}
}

// serverOptions are those of a server that nobody calls.
func serverOptions(t testing.TB) sandbox.ServerOptions {
	t.Helper()
	return sandbox.ServerOptions{
		Clock: seckill.SystemClock{}, Log: slog.New(slog.DiscardHandler), URL: "http://localhost",
		Ledger: filepath.Join(t.TempDir(), "ledger.jsonl"), Key: testKey, Secret: testSecret,
	}
}

func TestNewServer(t *testing.T) {
	t.Parallel()
	t.Run("refuses a ledger that another server has open", refusesOpenLedger)
	t.Run("refuses a ledger that makes no sense, and names the entry", refusesWrongLedger)
	t.Run("refuses what could not work", refusesWrongOptions)
}

func refusesOpenLedger(t *testing.T) {
	t.Parallel()
	options := serverOptions(t)
	first, err := sandbox.NewServer(options)
	must(t, err)
	if _, err := sandbox.NewServer(options); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("got %v", err)
	}
	must(t, first.Close())
	second, err := sandbox.NewServer(options)
	must(t, err)
	must(t, second.Close())
}

func refusesWrongLedger(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 20, 10, 0, 0, 0, time.UTC).Format(time.RFC3339)
	opened := `{"n":1,"at":"` + at + `","kind":"opened","session":"cs_1","reference":"1"}` + "\n"
	for what, second := range map[string]string{
		"garbage":            "garbage\n",
		"a gap":              `{"n":3,"at":"` + at + `","kind":"closed","session":"cs_1","reference":"1"}` + "\n",
		"a doubled session":  strings.Replace(opened, `"n":1`, `"n":2`, 1),
		"an unknown session": `{"n":2,"at":"` + at + `","kind":"charged","session":"cs_2","reference":"2","txn":"ch_1"}` + "\n",
		"an unknown charge":  `{"n":2,"at":"` + at + `","kind":"refunded","session":"cs_1","reference":"1","txn":"ch_1"}` + "\n",
		"an unknown kind":    `{"n":2,"at":"` + at + `","kind":"stolen","session":"cs_1","reference":"1"}` + "\n",
		"a line too long":    strings.Repeat(" ", 70<<10) + "\n",
	} {
		options := serverOptions(t)
		must(t, os.WriteFile(options.Ledger, []byte(opened+second), 0o600))
		if _, err := sandbox.NewServer(options); err == nil || !strings.Contains(err.Error(), "entry 2") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func refusesWrongOptions(t *testing.T) {
	t.Parallel()
	for what, change := range map[string]func(*sandbox.ServerOptions){
		"no key":       func(o *sandbox.ServerOptions) { o.Key = "" },
		"no secret":    func(o *sandbox.ServerOptions) { o.Secret = "" },
		"no URL":       func(o *sandbox.ServerOptions) { o.URL = "" },
		"no webhook":   func(o *sandbox.ServerOptions) { o.Webhook = "localhost" },
		"no end":       func(o *sandbox.ServerOptions) { o.NoticeRepeats = 1000 },
		"no folder":    func(o *sandbox.ServerOptions) { o.Ledger = filepath.Join(o.Ledger, "nowhere", "ledger") },
		"less than no": func(o *sandbox.ServerOptions) { o.NoticeRepeats = -1 },
	} {
		options := serverOptions(t)
		change(&options)
		if _, err := sandbox.NewServer(options); err == nil {
			t.Errorf("%s: took it", what)
		}
	}
}
