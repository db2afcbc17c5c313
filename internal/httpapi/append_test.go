package httpapi

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/seckill-dev/seckill/api"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// texts are what escaping is about.
func texts() []string {
	return []string{"", "plain", `a"b\c`, "<a href='x'>&", "line\nbreak\ttab\x00", "ümlaut \u2028\u2029", "\x7f", "\xff", "😀"}
}

func expectSame(t *testing.T, got []byte, value any) {
	t.Helper()
	want, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("appended %s\nencoded  %s", got, want)
	}
}

func TestAppend(t *testing.T) {
	t.Parallel()
	t.Run("writes problems as encoding/json does", func(t *testing.T) {
		t.Parallel()
		none, some := int64(0), int64(-7)
		for _, text := range texts() {
			for _, problem := range []api.Problem{
				{},
				{Type: text, Title: text, Status: 409, Detail: text, Reason: api.Reason(text)},
				{Detail: text, Available: &none, RetryAfter: 3600},
				{Detail: text, Available: &some, Field: text, RequestID: text},
				{Detail: text, ReservationID: text, Links: api.ProblemLinks{Self: text}, RetryAfter: 1},
				{Detail: text, Order: &api.Order{ID: text}},
				{Detail: text, Reservations: []api.HeldReservation{{ID: text}}, Available: &some},
			} {
				expectSame(t, appendProblem(nil, problem), problem)
			}
		}
	})
	t.Run("writes receipts as encoding/json does", func(t *testing.T) {
		t.Parallel()
		for _, text := range texts() {
			for _, receipt := range []api.Receipt{
				{}, {ID: text, ItemID: text, Quantity: 1000, Status: api.ReservationStatus(text), Links: api.Links{Self: text, Order: text}}, {Reason: api.Reason(text)},
			} {
				expectSame(t, appendReceipt(nil, receipt), receipt)
			}
		}
	})
	t.Run("fits the usual answers into one allocation", func(t *testing.T) {
		t.Parallel()
		receipt := wireReceipt(seckill.Reservation{ID: 1<<63 - 1, Item: 1<<63 - 1, Quantity: 1000, State: seckill.ReservationQueued})
		if got := len(appendReceipt(nil, receipt)); got > hotAnswerBytes {
			t.Errorf("a receipt has %d bytes", got)
		}
	})
}
