package drill

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"
)

// FuzzPromises: whatever stands in a ledger, a line is read as one answer at most, the first one for a reservation counts, and
// what was never written to its end is nobody's; a line that cannot be read is named.
func FuzzPromises(f *testing.F) {
	const queued = `{"at":"2026-03-20T10:00:00Z","user":"ann","key":"k","quantity":2,"answer":"queued","reservation":"7"}` + "\n"
	for _, seed := range []string{
		queued, queued + queued, queued + queued[:40], `{"answer":"queued"}` + "\n", `{"event":"kill redis"}` + "\n" + queued, "\n", "null\n", "[]\n" + queued,
		`{"at":"x"}` + "\n", strings.Replace(queued, `"7"`, "7", 1), `{"answer":"rejected","reservation":"7"}` + "\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		told, err := promisesIn(bytes.NewReader(content))
		lines := int64(strings.Count(string(content), "\n"))
		if err != nil && (told.lines > lines || !strings.Contains(err.Error(), "line "+strconv.FormatInt(told.lines, 10)+":")) {
			t.Fatalf("%q: after %d lines of %d: %v", content, told.lines, lines, err)
		}
		if err == nil && told.lines != lines || told.answers > told.lines || int64(len(told.all)) > told.answers {
			t.Fatalf("%q: %d answers of %d promises in %d lines, of %d", content, told.answers, len(told.all), told.lines, lines)
		}
		for name, p := range told.all {
			if name == "" || p.reservation != name {
				t.Fatalf("%q promises %q as %+v", content, name, p)
			}
		}
	})
}

const ledgerTextMax = 1000

// FuzzLedger: what crowds write, in whatever pieces, is read again as it was said, and counted as often.
func FuzzLedger(f *testing.F) {
	f.Add("ann", "cart-42-x", int64(2), "7", uint8(0), uint8(7))
	f.Add("b\nb\u2028", "\"", int64(-1), "", uint8(1), uint8(1))
	f.Add("ann", "", int64(1<<62), "7\xff", uint8(2), uint8(255))
	began := time.Date(2026, 3, 20, 10, 0, 0, 0, time.UTC)
	path := filepath.Join(f.TempDir(), "ledger.jsonl")
	f.Fuzz(func(t *testing.T, user, key string, quantity int64, reservation string, after, piece uint8) {
		if len(user)+len(key)+len(reservation) > ledgerTextMax {
			t.Skip("longer ones say nothing new, and byte by byte a busy disk takes seconds for one")
		}
		l, err := openLedger(path, began)
		if err != nil {
			t.Fatal(err)
		}
		defer os.Remove(path) //nolint:errcheck // the next input would notice
		said := entry{At: began.Add(time.Duration(after) * time.Second), User: user, Key: key, Quantity: quantity, Answer: answerQueued, Reservation: reservation}
		l.note(said)
		l.note(entry{At: began, Event: user, Detail: key})
		l.note(said)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for p := (&pen{to: l}); len(text) > 0; text = text[min(len(text), int(piece)+1):] {
			_, _ = p.Write(text[:min(len(text), int(piece)+1)]) // close says what went wrong
		}
		if err := l.close(); err != nil {
			t.Fatal(err)
		}
		told, err := readPromises(path)
		seconds, counted := l.throughput()
		if err != nil || told.lines != 6 || counted != 4 || len(seconds) != int(after)+1 || seconds[after] != 4 {
			t.Fatalf("%+v: %d lines, %d counted, %v, %v", said, told.lines, counted, seconds, err)
		}
		expectRead(t, said, told)
	})
}

// expectRead wants what was said four times to be one promise, if its reservation has a name that one can have.
func expectRead(t *testing.T, said entry, told promises) {
	t.Helper()
	want := map[string]promise{}
	if reservation := strings.ToValidUTF8(said.Reservation, ""); reservation != said.Reservation {
		return // no reservation has such a name
	} else if reservation != "" {
		want[reservation] = promise{reservation, clean(said.User), clean(said.Key), said.Quantity, said.At}
	}
	if !reflect.DeepEqual(told.all, want) || told.answers != int64(4*len(want)) {
		t.Fatalf("%+v is read as %+v, %d times", said, told.all, told.answers)
	}
}

// clean is a text as JSON has it.
func clean(text string) string { return string([]rune(text)) }

// FuzzTill: the provider's ledger is read line by line, each behind the one before; whatever a line says, what is owed
// afterwards is what some line has promised, and what is untold was charged.
func FuzzTill(f *testing.F) {
	for _, seed := range []string{
		`{"n":1,"kind":"promised"}` + "\n" + `{"n":2,"kind":"charged","txn":"c","promise":1}` + "\n" + `{"n":3,"kind":"told","txn":"c"}` + "\n" + `{"n":4,"kind":"refunded","txn":"c"}`,
		`{"n":1,"kind":"charged","txn":"c"}` + "\n" + `{"n":1,"kind":"charged","txn":"d"}`, `{"n":2,"kind":"given_up","txn":"nobody's"}`, `{"n":0,"kind":"promised"}`, `{"n":-1}`, "null", "{", `{"n":9223372036854775808}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, page string) {
		read := newTill("", "")
		for text := range strings.Lines(page) {
			before := read.after
			err := read.addText([]byte(text))
			if err != nil && (read.after != before || !strings.Contains(err.Error(), "line "+strconv.FormatInt(before, 10))) || err == nil && read.after <= before {
				t.Fatalf("%q behind line %d: line %d, %v", text, before, read.after, err)
			}
		}
		expectSound(t, read)
	})
}

// expectSound wants a ledger in which everything follows from something.
func expectSound(t *testing.T, read *till) {
	t.Helper()
	for txn := range read.untold {
		if read.charges[txn] == nil {
			t.Fatalf("nobody was charged %q, of which somebody is to be told", txn)
		}
	}
	for n := range read.promised {
		if n <= 0 || n > read.after {
			t.Fatalf("line %d of %d promises something", n, read.after)
		}
	}
	for _, c := range read.charges {
		for _, refund := range c.refunds {
			if refund.Txn != c.Txn || refund.N <= c.N {
				t.Fatalf("%+v is refunded by %+v", c.tillLine, refund)
			}
		}
	}
}
