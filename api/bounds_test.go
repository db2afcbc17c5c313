package api_test

import (
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

func TestRequests(t *testing.T) {
	t.Parallel()

	t.Run("have bodies that are strict and bounded in every field", func(t *testing.T) {
		t.Parallel()
		eachCall(t, checkBody)
	})

	t.Run("have bounded parameters", func(t *testing.T) {
		t.Parallel()
		for path, item := range contract(t).Paths.Map() {
			checkParameters(t, path, item.Parameters)
		}
		for _, c := range calls(t) {
			checkParameters(t, c.String(), c.Parameters)
		}
	})

	t.Run("are checked for type, size and length by their body's answers", func(t *testing.T) {
		t.Parallel()
		eachCall(t, func(t *testing.T, c call) {
			t.Helper()
			if c.RequestBody == nil {
				return
			}
			c.wantStatuses(t, 400, 413)
			if c.RequestBody.Value.Content["*/*"] == nil {
				c.wantStatuses(t, 415)
			}
		})
	})

	t.Run("that need credentials can be refused for the lack of them", func(t *testing.T) {
		t.Parallel()
		eachCall(t, func(t *testing.T, c call) {
			t.Helper()
			if open := c.Security != nil && len(*c.Security) == 0; !open {
				c.wantStatuses(t, 401, 403)
			}
		})
	})
}

func (c call) wantStatuses(t *testing.T, statuses ...int) {
	t.Helper()
	for _, status := range statuses {
		if c.Responses.Status(status) == nil {
			t.Errorf("does not document %d", status)
		}
	}
}

func checkBody(t *testing.T, c call) {
	t.Helper()
	if c.RequestBody == nil {
		return
	}
	if !c.RequestBody.Value.Required {
		t.Error("the body is not required")
	}
	for _, media := range c.RequestBody.Value.Content {
		checkBounded(t, "body", media.Schema.Value)
	}
}

func checkParameters(t *testing.T, where string, parameters openapi3.Parameters) {
	t.Helper()
	for _, parameter := range parameters {
		checkBounded(t, where+" "+parameter.Value.Name, parameter.Value.Schema.Value)
	}
}

// checkBounded wants a limit on everything that a client may send.
func checkBounded(t *testing.T, where string, schema *openapi3.Schema) {
	t.Helper()
	switch {
	case schema.Type.Is("object"):
		if allowed := schema.AdditionalProperties.Has; allowed == nil || *allowed {
			t.Errorf("%s takes unknown fields", where)
		}
		for name, property := range schema.Properties {
			checkBounded(t, where+"."+name, property.Value)
		}
	case schema.Type.Is("array"):
		if schema.MaxItems == nil {
			t.Errorf("%s has no maxItems", where)
		}
		checkBounded(t, where+"[]", schema.Items.Value)
	case schema.Type.Is("string"):
		if schema.MaxLength == nil && schema.Format != "date-time" && len(schema.Enum) == 0 {
			t.Errorf("%s has no maxLength", where)
		}
	case schema.Type.Is("integer"):
		if schema.Min == nil || schema.Max == nil {
			t.Errorf("%s has no minimum or no maximum", where)
		}
	case schema.Type.Is("boolean"):
	default:
		t.Errorf("%s has the type %v, for which no bound is known", where, schema.Type)
	}
}
