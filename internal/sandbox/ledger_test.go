package sandbox_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seckill-dev/seckill/internal/sandbox"
	"github.com/seckill-dev/seckill/internal/seckill"
)

func TestLedger(t *testing.T) {
	t.Parallel()
	t.Run("has after a kill what was answered, and drops a torn last line", func(t *testing.T) {
		t.Parallel()
		f := open(t)
		paid, closed, left := f.payment(t, 1), f.payment(t, 2), f.payment(t, 3)
		f.pay(t, paid.Session, `{}`)
		eventually(t, "told", func() bool { return f.count(t, sandbox.KindTold) == 1 })
		charges, err := f.Close(t.Context(), paid)
		if err != nil {
			t.Fatal(err)
		}
		refund := seckill.Refund{Txn: charges[0].Txn, AmountMinor: 1290, Currency: "EUR"}
		if err := f.Refund(t.Context(), refund); err != nil {
			t.Fatal(err)
		}
		if _, err := f.Close(t.Context(), closed); err != nil {
			t.Fatal(err)
		}
		before := f.entries(t)
		f = f.crash(t, `{"n":99,"kind":"charg`)
		if after := f.entries(t); !cmp.Equal(before, after) {
			t.Errorf("the ledger was and is\n%+v\n%+v", before, after)
		}
		if status, answer := f.pay(t, closed.Session, `{}`); status != 409 {
			t.Errorf("a closed session took money after the restart: %d %s", status, answer)
		}
		if err := f.Refund(t.Context(), refund); err != nil || f.count(t, sandbox.KindRefunded) != 1 {
			t.Errorf("the refund was forgotten: %v", err)
		}
		if status, answer := f.pay(t, left.Session, `{}`); status != 201 {
			t.Errorf("an open session took no money after the restart: %d %s", status, answer)
		}
		for i, e := range f.entries(t) {
			if e.N != int64(i)+1 {
				t.Errorf("entry %d has the number %d", i+1, e.N)
			}
		}
	})
	t.Run("is read in pages", func(t *testing.T) {
		t.Parallel()
		f := open(t)
		for id := range seckill.ID(5) {
			f.payment(t, id+1)
		}
		first, err := f.Ledger(t.Context(), 0, 3)
		if err != nil || len(first) != 3 {
			t.Fatalf("the first page is %+v, %v", first, err)
		}
		rest, err := f.Ledger(t.Context(), first[2].N, 3)
		if err != nil || len(rest) != 2 || rest[0].Reference != "4" {
			t.Fatalf("the second page is %+v, %v", rest, err)
		}
		none, err := f.Ledger(t.Context(), 5, 3)
		if err != nil || len(none) != 0 {
			t.Fatalf("behind the end is %+v, %v", none, err)
		}
		if _, err := f.Ledger(t.Context(), 0, 0); err != nil {
			t.Fatal(err)
		}
	})
}

func TestNewServer(t *testing.T) {
	t.Parallel()
	options := func(t *testing.T) sandbox.ServerOptions {
		t.Helper()
		return sandbox.ServerOptions{
			Clock: seckill.SystemClock{}, Log: slog.New(slog.DiscardHandler), URL: "http://localhost",
			Ledger: filepath.Join(t.TempDir(), "ledger.jsonl"), Key: testKey, Secret: testSecret,
		}
	}
	t.Run("refuses a ledger that another server has open", func(t *testing.T) {
		t.Parallel()
		o := options(t)
		first, err := sandbox.NewServer(o)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := sandbox.NewServer(o); err == nil || !strings.Contains(err.Error(), "in use") {
			t.Errorf("got %v", err)
		}
		if err := first.Close(); err != nil {
			t.Fatal(err)
		}
		second, err := sandbox.NewServer(o)
		if err != nil {
			t.Fatal(err)
		}
		_ = second.Close()
	})
	t.Run("refuses a ledger that makes no sense, and names the entry", func(t *testing.T) {
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
			o := options(t)
			if err := os.WriteFile(o.Ledger, []byte(opened+second), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := sandbox.NewServer(o); err == nil || !strings.Contains(err.Error(), "entry 2") {
				t.Errorf("%s: %v", what, err)
			}
		}
	})
	t.Run("refuses what could not work", func(t *testing.T) {
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
			o := options(t)
			change(&o)
			if _, err := sandbox.NewServer(o); err == nil {
				t.Errorf("%s: took it", what)
			}
		}
	})
}
