package api_test

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/seckill-dev/seckill/api"
	"github.com/seckill-dev/seckill/internal/seckill"
)

const problemType = "application/problem+json"

// contract loads the document anew, so that tests cannot disturb each other.
func contract(t *testing.T) *openapi3.T {
	t.Helper()
	document, err := openapi3.NewLoader().LoadFromData(api.Document())
	if err != nil {
		t.Fatalf("load openapi.yaml: %v", err)
	}
	return document
}

// eachOperation runs the check as a subtest per call.
func eachOperation(t *testing.T, check func(t *testing.T, path string, operation *openapi3.Operation)) {
	t.Helper()
	for path, item := range contract(t).Paths.Map() {
		for method, operation := range item.Operations() {
			t.Run(method+" "+path, func(t *testing.T) {
				t.Parallel()
				check(t, path, operation)
			})
		}
	}
}

func TestContract(t *testing.T) {
	t.Parallel()

	t.Run("is a valid OpenAPI document whose examples match their schemas", func(t *testing.T) {
		t.Parallel()
		err := contract(t).Validate(context.Background(),
			openapi3.EnableExamplesValidation(), openapi3.EnableSchemaFormatValidation())
		if err != nil {
			t.Fatal(err)
		}
	})

	t.Run("cannot be changed by who reads it", func(t *testing.T) {
		t.Parallel()
		api.Document()[0] = 'X'
		if api.Document()[0] == 'X' {
			t.Fatal("two callers share one document")
		}
	})

	t.Run("names every operation once", func(t *testing.T) {
		t.Parallel()
		seen := map[string]string{}
		for path, item := range contract(t).Paths.Map() {
			for method, operation := range item.Operations() {
				call := method + " " + path
				if operation.OperationID == "" {
					t.Errorf("%s has no operationId", call)
				}
				if other, twice := seen[operation.OperationID]; twice {
					t.Errorf("%s and %s share the operationId %s", call, other, operation.OperationID)
				}
				seen[operation.OperationID] = call
			}
		}
	})

	t.Run("gives operators' calls their own key and tag", func(t *testing.T) {
		t.Parallel()
		eachOperation(t, checkAudience)
	})

	t.Run("answers every failure with a problem document", func(t *testing.T) {
		t.Parallel()
		eachOperation(t, checkProblems)
	})

	t.Run("shows an example of every body", func(t *testing.T) {
		t.Parallel()
		for where, media := range mediaTypes(t) {
			if len(examplesOf(media)) == 0 {
				t.Errorf("%s has no example", where)
			}
		}
	})

	t.Run("shows every reason, each with its status", func(t *testing.T) {
		t.Parallel()
		checkReasonsShown(t)
	})
}

func checkAudience(t *testing.T, path string, operation *openapi3.Operation) {
	t.Helper()
	tagged := slices.Contains(operation.Tags, "operators")
	if admin := strings.HasPrefix(path, "/admin/"); admin {
		if !tagged {
			t.Error("is not tagged operators")
		}
		if !demands(operation, "operator") {
			t.Error("does not demand the operator key, and nothing else")
		}
		return
	}
	if tagged && path != "/metrics" {
		t.Error("is tagged operators outside /admin/")
	}
	if demands(operation, "operator") {
		t.Error("demands the operator key outside /admin/")
	}
}

func demands(operation *openapi3.Operation, scheme string) bool {
	if operation.Security == nil || len(*operation.Security) != 1 {
		return false
	}
	_, found := (*operation.Security)[0][scheme]
	return found
}

func checkProblems(t *testing.T, _ string, operation *openapi3.Operation) {
	t.Helper()
	problems := 0
	for status, response := range operation.Responses.Map() {
		code, err := strconv.Atoi(status)
		if err != nil {
			t.Errorf("answers %q, which is not one status", status)
			continue
		}
		if code < http.StatusBadRequest {
			continue
		}
		problems++
		media := response.Value.Content.Get(problemType)
		if media == nil || len(response.Value.Content) != 1 {
			t.Errorf("%d is not a problem document alone", code)
			continue
		}
		for _, example := range examplesOf(media) {
			if shown := example.(map[string]any)["status"]; shown != float64(code) {
				t.Errorf("%d shows a problem with status %v", code, shown)
			}
		}
	}
	if problems == 0 {
		t.Error("documents no refusal")
	}
}

func checkReasonsShown(t *testing.T) {
	t.Helper()
	statuses := map[string]map[any]bool{}
	for where, media := range mediaTypes(t) {
		if !strings.HasSuffix(where, problemType) {
			continue
		}
		for _, example := range examplesOf(media) {
			problem := example.(map[string]any)
			reason := problem["reason"].(string)
			if problem["type"] != "urn:seckill:problem:"+reason {
				t.Errorf("%s: type %v does not name the reason %s", where, problem["type"], reason)
			}
			if statuses[reason] == nil {
				statuses[reason] = map[any]bool{}
			}
			statuses[reason][problem["status"]] = true
		}
	}
	for _, reason := range seckill.Reasons() {
		shown := statuses[string(reason)]
		switch {
		case len(shown) == 0:
			t.Errorf("no example shows %s", reason)
		case len(shown) > 1 && reason != seckill.Invalid: // invalid alone has three: 400, 413, 415
			t.Errorf("%s has several statuses: %v", reason, shown)
		}
	}
}

// The lists of the contract and of the domain are the same: a new word needs both.
func TestWords(t *testing.T) {
	t.Parallel()
	lists := map[string][]string{
		"Reason":            words(seckill.Reasons()),
		"SaleState":         words(seckill.SaleStates()),
		"StockState":        words(seckill.StockStates()),
		"ReservationStatus": words(seckill.ReservationStates()),
		"OrderStatus":       words(seckill.OrderStates()),
	}
	schemas := contract(t).Components.Schemas
	for name, want := range lists {
		t.Run("of "+name+" are the domain's", func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, word := range schemas[name].Value.Enum {
				got = append(got, word.(string))
			}
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("contract %v, domain %v", got, want)
			}
		})
	}
}

func words[W ~string](list []W) []string {
	texts := make([]string, len(list))
	for i, word := range list {
		texts[i] = string(word)
	}
	return texts
}
