package drill_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seckill-dev/seckill/internal/drill"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// The reservations of these tests, all by ada, and the payment on the first one.
const (
	bought  seckill.ID = 1001
	second  seckill.ID = 1002
	payment            = "77"
)

// told writes a ledger of promises; a key is behind a slash.
func told(t *testing.T, promises ...string) string {
	t.Helper()
	var text strings.Builder
	text.WriteString(`{"at":"2026-01-01T00:00:00Z","event":"fault: kill redis"}` + "\n")
	for _, promise := range promises {
		id, key, _ := strings.Cut(promise, "/")
		fmt.Fprintf(&text, `{"at":"2026-01-01T00:00:00Z","user":"ada","key":%q,"quantity":1,"answer":"queued","reservation":%q}`+"\n", key, id)
	}
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	if err := os.WriteFile(path, []byte(text.String()+`{"at":"2026-01-01T00:00`), 0o600); err != nil { // a drill that was killed
		t.Fatal(err)
	}
	return path
}

func claim(id seckill.ID) seckill.Claim {
	return seckill.Claim{ID: id, User: "ada", Quantity: 1, State: seckill.ClaimHeld, Ordered: true}
}

func order(id seckill.ID, state seckill.OrderState) seckill.Order {
	return seckill.Order{ID: id, User: "ada", Quantity: 1, PriceMinor: 500, Currency: "EUR", State: state}
}

// paidBook has one order, paid once.
func paidBook() drill.Book {
	return drill.Book{
		Claims: []seckill.Claim{claim(bought)}, Orders: []seckill.Order{order(bought, seckill.OrderPaid)},
		Charges: []seckill.Charge{{Txn: "t1", Payment: 77, Order: bought, AmountMinor: 500, Currency: "EUR"}},
	}
}

func charged(n int, txn string) string {
	return fmt.Sprintf(`{"n":%d,"kind":"charged","reference":%q,"txn":%q,"amount_minor":500,"currency":"EUR"}`, n, payment, txn)
}

func refunded(n int, txn string) string {
	return fmt.Sprintf(`{"n":%d,"kind":"refunded","reference":%q,"txn":%q,"amount_minor":500,"currency":"EUR"}`, n, payment, txn)
}

// judged is one case: what was promised (1001 if nothing is said), what the provider has (one charge), and how the books
// differ from those of an order that is paid.
type judged struct {
	does     string
	promises []string
	provider []string
	change   func(*drill.Book)
	want     string
}

func cases() []judged {
	rejected := claim(second)
	rejected.State, rejected.Reason = seckill.ClaimRejected, seckill.SoldOut
	twin := rejected
	twin.Reason, twin.First = seckill.Duplicate, bought
	other := claim(bought)
	other.User = "ben"
	return []judged{
		{does: "finds nothing when a promise is a paid order"},
		{does: "misses a promise without a claim", promises: []string{"1002"}, want: "lost"},
		{does: "misses a claim without an order", change: func(b *drill.Book) { b.Orders, b.Charges = nil, nil }, provider: []string{}, want: "lost"},
		{does: "sees somebody else's claim", change: func(b *drill.Book) { b.Claims[0] = other }, want: "differs"},
		{does: "sees a rejection", promises: []string{"1002"}, change: func(b *drill.Book) { b.Claims = append(b.Claims, rejected) }, want: "queued, refused"},
		{does: "lets a second reservation of a key stand for the first", promises: []string{"1001/k", "1002/k"}, change: func(b *drill.Book) { b.Claims = append(b.Claims, twin) }},
		{does: "sees two orders for one key", promises: []string{"1001/k", "1002/k"}, change: func(b *drill.Book) {
			b.Claims, b.Orders = append(b.Claims, claim(second)), append(b.Orders, order(second, seckill.OrderUnpaid))
		}, want: "doubled"},
		{does: "sees money that only the provider has", provider: []string{charged(1, "t1"), charged(2, "t2")}, want: "money"},
		{does: "sees money that only we have", provider: []string{}, want: "money money"},
		{does: "sees money that stays on a cancelled order", change: func(b *drill.Book) { b.Orders[0].State = seckill.OrderCancelled }, want: "money"},
		{does: "sees money that went back from a paid order", provider: []string{charged(1, "t1"), refunded(2, "t1")}, want: "money money"},
	}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	for _, it := range cases() {
		t.Run(it.does, func(t *testing.T) {
			t.Parallel()
			book := paidBook()
			if it.change != nil {
				it.change(&book)
			}
			if it.promises == nil {
				it.promises = []string{"1001"}
			}
			if it.provider == nil {
				it.provider = []string{charged(1, "t1")}
			}
			_, findings, err := drill.Judge(told(t, it.promises...), it.provider, book, drill.Lenience{})
			if err != nil {
				t.Fatal(err)
			}
			var kinds []string
			for _, f := range findings {
				kinds = append(kinds, f.Kind)
			}
			if got := strings.Join(kinds, " "); got != it.want {
				t.Errorf("found %v", findings)
			}
		})
	}
}

func TestJudgeAllowsRejectionsUnderTwoFaults(t *testing.T) {
	t.Parallel()
	book := paidBook()
	refused := claim(second)
	refused.State, refused.Reason = seckill.ClaimRejected, seckill.SoldOut
	book.Claims = append(book.Claims, refused)
	counts, findings, err := drill.Judge(told(t, "1001", "1002"), []string{charged(1, "t1")}, book, drill.Lenience{Pairs: true})
	if err != nil || len(findings) > 0 || counts.Rejected != 1 || counts.Ordered != 1 || counts.Promised != 2 {
		t.Errorf("%+v, %v, %v", counts, findings, err)
	}
}

func TestJudgeTakesNothingForLostThatNobodyWaitedFor(t *testing.T) {
	t.Parallel()
	book := paidBook()
	book.Claims = append(book.Claims, claim(second))
	ledger := told(t, "1001", "1002", "1003")
	counts, findings, err := drill.Judge(ledger, []string{charged(1, "t1")}, book, drill.Lenience{Hurried: true})
	if err != nil || len(findings) > 0 || counts.Pending != 2 || counts.Ordered != 1 || counts.Promised != 3 {
		t.Errorf("%+v, %v, %v", counts, findings, err)
	}
	book.Orders[0].User = "ben"
	if _, findings, err = drill.Judge(ledger, []string{charged(1, "t1")}, book, drill.Lenience{Hurried: true}); err != nil || len(findings) != 1 {
		t.Errorf("somebody else has the order, and it found %v, %v", findings, err)
	}
}
