package httpapi

import (
	"encoding/json"
	"strconv"

	"github.com/seckill-dev/seckill/api"
)

// The answers that a crowd gets are appended by hand: encoding/json costs more than all else the edge does for them. Tests
// hold every one against encoding/json.

// hotAnswerBytes is room for any of them.
const hotAnswerBytes = 512

func appendProblem(b []byte, p api.Problem) []byte {
	if len(p.Reservations) > 0 || p.Order != nil || p.Sale.ID != "" || p.Largest != nil {
		return appendJSON(b, p) // rare, and not worth a second way
	}
	b = append(b, '{')
	if p.Available != nil {
		b = append(b, `"available":`...)
		b = strconv.AppendInt(b, *p.Available, 10)
		b = append(b, ',')
	}
	b = appendMember(b, `"detail":`, p.Detail)
	if p.Field != "" {
		b = appendMember(b, `,"field":`, p.Field)
	}
	if p.Links.Self != "" {
		b = appendMember(b, `,"links":{"self":`, p.Links.Self)
		b = append(b, '}')
	}
	b = appendMember(b, `,"reason":`, string(p.Reason))
	if p.RequestID != "" {
		b = appendMember(b, `,"request_id":`, p.RequestID)
	}
	if p.ReservationID != "" {
		b = appendMember(b, `,"reservation_id":`, p.ReservationID)
	}
	if p.RetryAfter != 0 {
		b = append(b, `,"retry_after":`...)
		b = strconv.AppendInt(b, int64(p.RetryAfter), 10)
	}
	b = append(b, `,"status":`...)
	b = strconv.AppendInt(b, int64(p.Status), 10)
	b = appendMember(b, `,"title":`, p.Title)
	b = appendMember(b, `,"type":`, p.Type)
	return append(b, '}')
}

func appendReceipt(b []byte, r api.Receipt) []byte {
	b = appendMember(b, `{"id":`, r.ID)
	b = appendMember(b, `,"item_id":`, r.ItemID)
	b = appendMember(b, `,"links":{"order":`, r.Links.Order)
	b = appendMember(b, `,"self":`, r.Links.Self)
	b = append(b, `},"quantity":`...)
	b = strconv.AppendInt(b, r.Quantity, 10)
	if r.Reason != "" {
		b = appendMember(b, `,"reason":`, string(r.Reason))
	}
	b = appendMember(b, `,"status":`, string(r.Status))
	return append(b, '}')
}

// appendMember appends a name, as it stands, and a text.
func appendMember(b []byte, name, text string) []byte {
	b = append(b, name...)
	if !plain(text) {
		return appendJSON(b, text)
	}
	b = append(b, '"')
	b = append(b, text...)
	return append(b, '"')
}

// plain says that a text needs no escaping, by encoding/json's rules.
func plain(text string) bool {
	for i := range len(text) {
		switch c := text[i]; {
		case c < ' ' || c > '~', c == '"', c == '\\', c == '<', c == '>', c == '&':
			return false
		}
	}
	return true
}

func appendJSON(b []byte, value any) []byte {
	encoded, err := json.Marshal(value)
	if err != nil {
		return append(b, "null"...) // wire structs hold nothing that cannot be encoded
	}
	return append(b, encoded...)
}
