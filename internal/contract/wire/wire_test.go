package wire

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestValidate(t *testing.T) {
	t.Parallel()
	document := Open(t)
	const (
		receipt  = `{"id":"1","item_id":"1","quantity":1,"status":"queued","links":{"self":"/a","order":"/b"}}`
		problem  = `{"type":"urn:seckill:problem:busy","title":"Not now","status":503,"detail":"x","reason":"busy"}`
		purchase = "/v1/items/1/reservations"
	)
	cases := map[string]struct {
		method, path, mediaType, body string
		status                        int
		good                          bool
	}{
		"takes an answer as agreed":                        {http.MethodPost, purchase, "application/json", receipt, 202, true},
		"takes a refusal as agreed":                        {http.MethodPost, purchase, "application/problem+json", problem, 503, true},
		"takes a problem for an unknown path":              {http.MethodGet, "/nowhere", "application/problem+json", problem, 404, true},
		"catches another status":                           {http.MethodPost, purchase, "application/json", receipt, 200, false},
		"catches a status that does not exist":             {http.MethodPost, purchase, "application/problem+json", problem, 500, false},
		"catches another media type":                       {http.MethodPost, purchase, "text/html", receipt, 202, false},
		"catches an id as a number":                        {http.MethodPost, purchase, "application/json", `{"id":1,"item_id":"1","quantity":1,"status":"queued","links":{"self":"/a","order":"/b"}}`, 202, false},
		"catches a missing field":                          {http.MethodPost, purchase, "application/json", `{"id":"1"}`, 202, false},
		"catches an unknown reason":                        {http.MethodPost, purchase, "application/problem+json", `{"type":"urn:seckill:problem:x","title":"x","status":503,"detail":"x","reason":"x"}`, 503, false},
		"catches anything but a problem for unknown paths": {http.MethodGet, "/nowhere", "text/plain", "404 page not found", 404, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			request := httptest.NewRequestWithContext(t.Context(), c.method, c.path, http.NoBody)
			response := &http.Response{StatusCode: c.status, Header: http.Header{"Content-Type": {c.mediaType}}}
			if err := document.validate(request, response, []byte(c.body)); (err == nil) != c.good {
				t.Errorf("error is %v", err)
			}
		})
	}
}
