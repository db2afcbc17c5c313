// Package wire holds answers against api/openapi.yaml. For tests only.
package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"

	"github.com/seckill-dev/seckill/api"
)

// Document is the contract, ready to be held against answers. Safe for concurrent use.
type Document struct {
	router  routers.Router
	problem *openapi3.SchemaRef
}

// Load reads the contract. Tests that share one document load it once.
func Load() (*Document, error) {
	document, err := openapi3.NewLoader().LoadFromData(api.Document())
	if err != nil {
		return nil, fmt.Errorf("load the contract: %w", err)
	}
	document.Servers = nil                                                          // wherever the test listens
	router, err := legacy.NewRouter(document, openapi3.DisableExamplesValidation()) // package api validates them
	if err != nil {
		return nil, fmt.Errorf("route the contract: %w", err)
	}
	return &Document{router: router, problem: document.Components.Schemas["Problem"]}, nil
}

// Open is Load for a single test.
func Open(t testing.TB) *Document {
	t.Helper()
	document, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	return document
}

// Check fails the test when the answer is not what the contract says for the request. An answer to a call that the contract
// does not have must be a problem document. The body is put back, to be read again.
func (d *Document) Check(t testing.TB, request *http.Request, response *http.Response) {
	t.Helper()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Errorf("read the answer to %s %s: %v", request.Method, request.URL, err)
		return
	}
	_ = response.Body.Close()
	response.Body = io.NopCloser(bytes.NewReader(body))
	if err := d.validate(request, response, body); err != nil {
		t.Errorf("%s %s answered %d outside the contract: %v\n%s", request.Method, request.URL, response.StatusCode, err, body)
	}
}

func (d *Document) validate(request *http.Request, response *http.Response, body []byte) error {
	route, parameters, err := d.router.FindRoute(request)
	if err != nil {
		return d.validateProblem(body)
	}
	return openapi3filter.ValidateResponse(request.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: request, PathParams: parameters, Route: route},
		Status:                 response.StatusCode,
		Header:                 response.Header,
		Body:                   io.NopCloser(bytes.NewReader(body)),
		Options:                &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true},
	})
}

func (d *Document) validateProblem(body []byte) error {
	var value any
	if err := json.Unmarshal(body, &value); err != nil {
		return fmt.Errorf("not JSON: %w", err)
	}
	return d.problem.Value.VisitJSON(value)
}

// Transport checks every answer that passes through next (nil: http.DefaultTransport), for clients in whole-system tests.
func (d *Document) Transport(t testing.TB, next http.RoundTripper) http.RoundTripper {
	t.Helper()
	if next == nil {
		next = http.DefaultTransport
	}
	return checking{t: t, document: d, next: next}
}

type checking struct {
	t        testing.TB
	document *Document
	next     http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (c checking) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := c.next.RoundTrip(request)
	if err == nil {
		c.document.Check(c.t, request, response)
	}
	return response, err
}
