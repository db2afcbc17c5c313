package adminclient_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seckill-dev/seckill/api"
	"github.com/seckill-dev/seckill/internal/adminclient"
)

// whoever answers in the system's place, always the same, and counts how often it is asked.
type whoever struct {
	status         int
	body, location string
	asked          int
}

func (w *whoever) RoundTrip(request *http.Request) (*http.Response, error) {
	w.asked++
	response := &http.Response{
		StatusCode: w.status, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Request: request,
		Body: io.NopCloser(strings.NewReader(w.body)), ContentLength: int64(len(w.body)),
	}
	if w.location != "" {
		response.Header.Set("Location", w.location)
	}
	return response, nil
}

// questions are calls with every form of answer.
func questions(ctx context.Context, c *adminclient.Client) []func() (any, error) {
	return []func() (any, error){
		func() (any, error) { return c.Sales(ctx, "", adminclient.Page{}) },
		func() (any, error) { return c.Sale(ctx, "7") },
		func() (any, error) { return c.Preload(ctx, "7", 1, true) },
		func() (any, error) { return c.Stats(ctx, "7") },
		func() (any, error) { return c.Audit(ctx, "7") },
		func() (any, error) { return c.AdjustStock(ctx, "7", api.StockAdjustment{}) },
		func() (any, error) { return c.Orders(ctx, "ann", adminclient.Page{}) },
		func() (any, error) { return c.Order(ctx, "7") },
		func() (any, error) { return c.DeadLetters(ctx, adminclient.Page{}) },
		func() (any, error) { return c.Log(ctx, "", "", adminclient.Page{}) },
		func() (any, error) { return nil, c.DeleteSale(ctx, "7", 1) },
	}
}

// FuzzAnswers: a call is made once, whatever is answered. What is taken for an answer came with a success, and says the same
// when it is said again; all else is a refusal with the status, or says that nothing was answered, or that it cannot be read.
func FuzzAnswers(f *testing.F) {
	sale := `{"id":"7","name":"Friday","state":"live","starts_at":"2026-03-20T10:00:00Z","ends_at":"2026-03-20T11:00:00+01:00","version":3,"items":[{"id":"8","price_minor":1290}]}`
	for which, body := range []string{
		`{"data":[` + sale + `],"next":"MjA"}`, sale, sale, `{"items":[{"id":"8","allotted":10}]}`, `{"findings":[{"rule":"stock","detail":"x"}]}`, `{"delta":-5}`,
		`{"data":[{"id":"9","amount_minor":1}]}`, `{"id":"9"}`, `{"data":[{"id":"5","body":"AA=="}]}`, `{"data":[{"id":"1","before":{"name":"a"}}]}`, ``,
	} {
		f.Add(uint8(which), uint16(http.StatusOK), body, "")
		f.Add(uint8(which), uint16(http.StatusConflict), `{"detail":"must not be 0","field":"delta","reason":"invalid"}`, "")
	}
	f.Add(uint8(1), uint16(http.StatusTemporaryRedirect), "", "http://elsewhere.example/")
	f.Add(uint8(1), uint16(http.StatusSeeOther), sale, "/admin/v1/sales")
	f.Add(uint8(1), uint16(http.StatusFound), "", ":%")
	f.Add(uint8(1), uint16(http.StatusBadGateway), "<html>", "")
	f.Add(uint8(1), uint16(http.StatusOK), `{"starts_at":"9999-12-31T23:59:59-01:00"}`, "")
	f.Add(uint8(1), uint16(http.StatusOK), "null", "")
	f.Fuzz(func(t *testing.T, which uint8, status uint16, body, location string) {
		if status < http.StatusOK || status > 999 {
			t.Skip("net/http does not hand it on")
		}
		system := &whoever{status: int(status), body: body, location: location}
		client, err := adminclient.New("http://system.example", "a-key", &http.Client{Transport: system})
		if err != nil {
			t.Fatal(err)
		}
		ask := questions(t.Context(), client)
		question := ask[int(which)%len(ask)]
		answer, err := question()
		if system.asked != 1 {
			t.Fatalf("%d %q: asked %d times", status, location, system.asked)
		}
		if err != nil {
			expectTold(t, system, err)
			return
		}
		if status >= http.StatusMultipleChoices {
			t.Fatalf("%d is taken for an answer: %+v", status, answer)
		}
		text, err := json.Marshal(answer)
		if err != nil || answer == nil {
			return // there are moments that can be read and not written
		}
		system.body = string(text)
		if again, err := question(); err != nil || cmp.Diff(answer, again) != "" {
			t.Fatalf("%s, said again as %s, became %+v, %v", body, text, again, err)
		}
	})
}

// expectTold wants an error that says what was answered.
func expectTold(t *testing.T, system *whoever, err error) {
	t.Helper()
	var refused *adminclient.Refused
	var unanswered *adminclient.Unanswered
	switch {
	case err.Error() == "":
		t.Fatalf("%d %q is refused without a word", system.status, system.body)
	case errors.As(err, &refused):
		if refused.Status != system.status || system.status < http.StatusMultipleChoices || refused.Passing() != (system.status == http.StatusTooManyRequests || system.status >= 500) {
			t.Fatalf("%d %q became %+v, passing %t", system.status, system.body, refused, refused.Passing())
		}
	case errors.As(err, &unanswered):
		if system.location == "" {
			t.Fatalf("%d %q was an answer: %v", system.status, system.body, err)
		}
	case system.status >= http.StatusMultipleChoices:
		t.Fatalf("%d %q is no refusal: %v", system.status, system.body, err)
	}
}
