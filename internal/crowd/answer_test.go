package crowd

import (
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seckill-dev/seckill/api"
)

// FuzzAnswer: whatever comes back to a purchase, a promise is a 202 that names a reservation, a refusal has a reason of the
// contract, and everything else may have been a success; nobody makes us wait less than he asks for, or for ever.
func FuzzAnswer(f *testing.F) {
	for _, seed := range []struct {
		status     uint16
		retryAfter string
		body       string
	}{
		{http.StatusAccepted, "", `{"id":"7","item_id":"5","quantity":1,"status":"queued","links":{"self":"/x"}}`},
		{http.StatusAccepted, "", `{"id":"7","quantity":1,"status":"rejected","reason":"sold_out"}`},
		{http.StatusAccepted, "", `{"id":""}`},
		{http.StatusAccepted, "", `{"id":7}`},
		{http.StatusOK, "", `{"id":"7"}`},
		{http.StatusConflict, "", `{"reason":"sold_out","available":0}`},
		{http.StatusServiceUnavailable, "2", `{"reason":"unknown_outcome","reservation_id":"7"}`},
		{http.StatusServiceUnavailable, "9223372037", `{"reason":"busy"}`},
		{http.StatusTooManyRequests, "-1", `{"reason":"rate_limited"}`},
		{http.StatusTooManyRequests, "Fri, 20 Mar 2026 10:00:00 GMT", `{"reason":"rate_limited"}`},
		{http.StatusBadGateway, "1", "<html>"},
		{http.StatusInternalServerError, "", `{"reason":"whatever"}`},
		{http.StatusFound, "", ""},
	} {
		f.Add(seed.status, seed.retryAfter, seed.body, false)
		f.Add(seed.status, seed.retryAfter, seed.body, true)
	}
	f.Fuzz(func(t *testing.T, status uint16, retryAfter, body string, outside bool) {
		response := &http.Response{StatusCode: int(status), Header: http.Header{"Retry-After": {retryAfter}}}
		r, err := readReply(response, []byte(body), outside)
		if err != nil && (!reflect.DeepEqual(r, reply{}) || status < http.StatusBadRequest || outside) {
			t.Fatalf("%d %q: %+v, %v", status, body, r, err)
		}
		if err == nil {
			expectPatience(t, r, retryAfter)
		}
		if outside {
			return
		}
		expectMeant(t, readAnswer(r, err), status, body)
	})
}

// expectPatience wants the wait that was asked for, up to a bound.
func expectPatience(t *testing.T, r reply, asked string) {
	t.Helper()
	seconds, err := strconv.ParseFloat(asked, 64)
	isNumber := err == nil && asked != "" && strings.Trim(asked, "0123456789") == "" && seconds < 1<<32
	want := time.Duration(0)
	if isNumber {
		want = time.Duration(min(seconds, retryAfterMax.Seconds())) * time.Second
	}
	if r.retryAfter != want {
		t.Fatalf("%q asks for %v", asked, r.retryAfter)
	}
}

func expectMeant(t *testing.T, a answer, status uint16, body string) {
	t.Helper()
	good := map[answerKind]bool{
		accepted: status == http.StatusAccepted && a.id != "",
		declined: status == http.StatusAccepted && a.id != "",
		refused:  status >= http.StatusBadRequest && a.reason.Valid() && a.reason != api.ReasonUnknownOutcome && a.id == "",
		unknown:  status >= http.StatusBadRequest,
		lost:     a.detail != "" && a.passing(),
	}
	if !good[a.kind] {
		t.Fatalf("%d %q means %+v", status, body, a)
	}
	for _, found := range (&purchase{quantity: 1}).hear(a) {
		if found.Kind == "" || found.Detail == "" {
			t.Fatalf("%d %q is a problem without a name: %+v", status, body, found)
		}
	}
}

// FuzzTill: the provider's ledger is read line by line, each behind the one before; what is refused says behind which line,
// and what was read before it stays. It is the same in one page as in two.
func FuzzTill(f *testing.F) {
	const charged = `{"n":2,"kind":"charged","reference":"7","txn":"c","amount_minor":1290,"currency":"EUR"}` + "\n"
	for _, seed := range []string{
		charged, charged + `{"n":3,"kind":"refunded","txn":"c","amount_minor":1290,"currency":"EUR"}` + "\n", charged + charged,
		`{"n":3,"kind":"refunded","txn":"nobody's"}` + "\n", `{"n":0}`, "null\n", "\n", `{"n":9223372036854775808}`, `{"n":1,"kind":"opened"}` + "\n" + charged[:20],
	} {
		f.Add([]byte(seed), uint16(40))
	}
	f.Fuzz(func(t *testing.T, page []byte, at uint16) {
		whole := newTill()
		err := whole.addPage(page)
		if err != nil && !strings.Contains(err.Error(), "line "+strconv.FormatInt(whole.after, 10)) {
			t.Fatalf("%q is refused behind line %d: %v", page, whole.after, err)
		}
		lines := strings.SplitAfter(string(page), "\n")
		first := strings.Join(lines[:int(at)%(len(lines)+1)], "")
		parts := newTill()
		if errParts := parts.addPage([]byte(first)); errParts == nil {
			errParts = parts.addPage(page[len(first):])
			if (errParts == nil) != (err == nil) {
				t.Fatalf("%q: %v at once, %v in parts", page, err, errParts)
			}
		}
		if !reflect.DeepEqual(whole, parts) {
			t.Fatalf("%q became %+v at once, %+v in parts", page, whole, parts)
		}
		if told := expectOwnRefunds(t, whole.charges); told > len(lines) {
			t.Fatalf("%q tells of %d charges and refunds", page, told)
		}
	})
}

// expectOwnRefunds wants charges to have refunds of their own only, and counts both.
func expectOwnRefunds(t *testing.T, charges []*charge) (told int) {
	t.Helper()
	for _, c := range charges {
		told += 1 + len(c.refunds)
		for _, refund := range c.refunds {
			if refund.Txn != c.Txn || refund.N <= c.N {
				t.Fatalf("%+v is refunded by %+v", c.tillLine, refund)
			}
		}
	}
	return told
}
