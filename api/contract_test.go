package api_test

import (
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

// call is one operation of the document, with its place.
type call struct {
	*openapi3.Operation
	method, path string
}

func (c call) String() string { return c.method + " " + c.path }

// calls are all of them.
func calls(t *testing.T) []call {
	t.Helper()
	var found []call
	for path, item := range contract(t).Paths.Map() {
		for method, operation := range item.Operations() {
			found = append(found, call{operation, method, path})
		}
	}
	return found
}

// eachCall runs the check as a subtest per call.
func eachCall(t *testing.T, check func(t *testing.T, c call)) {
	t.Helper()
	for _, c := range calls(t) {
		t.Run(c.String(), func(t *testing.T) {
			t.Parallel()
			check(t, c)
		})
	}
}

func TestContract(t *testing.T) {
	t.Parallel()

	t.Run("is a valid OpenAPI document whose examples match their schemas", func(t *testing.T) {
		t.Parallel()
		err := contract(t).Validate(t.Context(),
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

	t.Run("names every operation once", checkNames)

	t.Run("gives operators' calls their own key and tag", func(t *testing.T) {
		t.Parallel()
		eachCall(t, checkAudience)
	})

	t.Run("answers every failure with a problem document", func(t *testing.T) {
		t.Parallel()
		eachCall(t, checkProblems)
	})

	t.Run("shows an example of every body", func(t *testing.T) {
		t.Parallel()
		for where, media := range mediaTypes(t) {
			if len(examplesOf(media)) == 0 {
				t.Errorf("%s has no example", where)
			}
		}
	})

	t.Run("shows every reason, each with its status", checkReasonsShown)
}

func checkNames(t *testing.T) {
	t.Parallel()
	seen := map[string]call{}
	for _, c := range calls(t) {
		if c.OperationID == "" {
			t.Errorf("%s has no operationId", c)
		}
		if other, twice := seen[c.OperationID]; twice {
			t.Errorf("%s and %s share the operationId %s", c, other, c.OperationID)
		}
		seen[c.OperationID] = c
	}
}

func checkAudience(t *testing.T, c call) {
	t.Helper()
	tagged := slices.Contains(c.Tags, "operators")
	if admin := strings.HasPrefix(c.path, "/admin/"); admin {
		if !tagged {
			t.Error("is not tagged operators")
		}
		if !c.demands("operator") {
			t.Error("does not demand the operator key, and nothing else")
		}
		return
	}
	if tagged && c.path != "/metrics" {
		t.Error("is tagged operators outside /admin/")
	}
	if c.demands("operator") {
		t.Error("demands the operator key outside /admin/")
	}
}

// demands says whether that scheme alone lets a caller in.
func (c call) demands(scheme string) bool {
	if c.Security == nil || len(*c.Security) != 1 {
		return false
	}
	_, found := (*c.Security)[0][scheme]
	return found
}

func checkProblems(t *testing.T, c call) {
	t.Helper()
	problems := 0
	for status, response := range c.Responses.Map() {
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
	t.Parallel()
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
		"PaymentStatus":     words(seckill.PaymentStates()),
		"RefundStatus":      words(seckill.RefundStates()),
		"RefundReason":      words(seckill.RefundReasons()),
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
