package api_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/seckill-dev/seckill/api"
)

// bodies pairs every schema that is a whole body with its wire struct.
func bodies() map[string]reflect.Type {
	return map[string]reflect.Type{
		"Account":           reflect.TypeFor[api.Account](),
		"ActList":           reflect.TypeFor[api.ActList](),
		"AdminOrder":        reflect.TypeFor[api.AdminOrder](),
		"AdminOrderList":    reflect.TypeFor[api.AdminOrderList](),
		"AdminSale":         reflect.TypeFor[api.AdminSale](),
		"AdminSaleList":     reflect.TypeFor[api.AdminSaleList](),
		"AuditReport":       reflect.TypeFor[api.AuditReport](),
		"CancelOrder":       reflect.TypeFor[api.CancelOrder](),
		"Credentials":       reflect.TypeFor[api.Credentials](),
		"DeadEvent":         reflect.TypeFor[api.DeadEvent](),
		"DeadEventList":     reflect.TypeFor[api.DeadEventList](),
		"DeadEventsDecided": reflect.TypeFor[api.DeadEventsDecided](),
		"DeadLetter":        reflect.TypeFor[api.DeadLetter](),
		"DeadLetterList":    reflect.TypeFor[api.DeadLetterList](),
		"DiscardDeadEvents": reflect.TypeFor[api.DiscardDeadEvents](),
		"DiscardLetter":     reflect.TypeFor[api.DiscardLetter](),
		"Health":            reflect.TypeFor[api.Health](),
		"Item":              reflect.TypeFor[api.Item](),
		"NewSale":           reflect.TypeFor[api.NewSale](),
		"Order":             reflect.TypeFor[api.Order](),
		"OrderList":         reflect.TypeFor[api.OrderList](),
		"Payment":           reflect.TypeFor[api.Payment](),
		"Problem":           reflect.TypeFor[api.Problem](),
		"Receipt":           reflect.TypeFor[api.Receipt](),
		"RefundOrder":       reflect.TypeFor[api.RefundOrder](),
		"ReplayDeadEvents":  reflect.TypeFor[api.ReplayDeadEvents](),
		"Reservation":       reflect.TypeFor[api.Reservation](),
		"ReservationList":   reflect.TypeFor[api.ReservationList](),
		"ReserveRequest":    reflect.TypeFor[api.ReserveRequest](),
		"Sale":              reflect.TypeFor[api.Sale](),
		"SaleList":          reflect.TypeFor[api.SaleList](),
		"SalePatch":         reflect.TypeFor[api.SalePatch](),
		"SaleStats":         reflect.TypeFor[api.SaleStats](),
		"ReopenStock":       reflect.TypeFor[api.ReopenStock](),
		"StockReopened":     reflect.TypeFor[api.StockReopened](),
		"StockAdjusted":     reflect.TypeFor[api.StockAdjusted](),
		"StockAdjustment":   reflect.TypeFor[api.StockAdjustment](),
		"Token":             reflect.TypeFor[api.Token](),
	}
}

func TestWire(t *testing.T) {
	t.Parallel()

	t.Run("carries every example there and back unchanged", checkExamples)

	t.Run("has exactly the fields of the document", func(t *testing.T) {
		t.Parallel()
		schemas := contract(t).Components.Schemas
		for name, body := range bodies() {
			checkFields(t, name, schemas[name].Value, body)
		}
	})

	t.Run("tells zero from absent where that matters", checkZeros)
}

func checkExamples(t *testing.T) {
	t.Parallel()
	for where, media := range mediaTypes(t) {
		if !strings.HasSuffix(where, "json") {
			continue
		}
		name := schemaName(media)
		body, known := bodies()[name]
		if !known {
			t.Errorf("%s: schema %q has no wire struct in this test", where, name)
			continue
		}
		for _, example := range examplesOf(media) {
			checkRoundTrip(t, where, body, example)
		}
	}
}

func checkZeros(t *testing.T) {
	t.Parallel()
	none := int64(0)
	for want, value := range map[string]any{
		`"available":0`: api.Item{Available: &none},
		`"ready":0`:     api.SaleStats{Queue: &api.QueueStats{}},
		`"live":false`:  api.ItemStats{Redis: &api.RedisStats{}},
		`"largest":0`:   api.Problem{Largest: &none},
	} {
		text, err := json.Marshal(value)
		if err != nil || !bytes.Contains(text, []byte(want)) {
			t.Errorf("%s (%v) lacks %s", text, err, want)
		}
	}
	var item api.NewItem
	if err := json.Unmarshal([]byte(`{"sku":"MUG-1"}`), &item); err != nil || item.PriceMinor != nil {
		t.Errorf("a forgotten price reads %v (%v)", item.PriceMinor, err)
	}
}

func checkRoundTrip(t *testing.T, where string, body reflect.Type, example any) {
	t.Helper()
	sent, err := json.Marshal(example)
	if err != nil {
		t.Fatalf("%s: encode the example: %v", where, err)
	}
	value := reflect.New(body)
	decoder := json.NewDecoder(bytes.NewReader(sent))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(value.Interface()); err != nil {
		t.Errorf("%s: %v", where, err)
		return
	}
	text, err := json.Marshal(value.Interface())
	if err != nil {
		t.Fatalf("%s: encode %s: %v", where, body, err)
	}
	var got any
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatalf("%s: decode %s: %v", where, text, err)
	}
	if !reflect.DeepEqual(got, example) {
		t.Errorf("%s: sent %s, came back as %s", where, sent, text)
	}
}

// checkFields finds a wire.gen.go that was not generated again.
func checkFields(t *testing.T, where string, schema *openapi3.Schema, wire reflect.Type) {
	t.Helper()
	switch {
	case wire.Kind() == reflect.Pointer:
		checkFields(t, where, schema, wire.Elem())
	case wire.Kind() == reflect.Slice:
		checkFields(t, where+"[]", schema.Items.Value, wire.Elem())
	case wire.Kind() == reflect.Struct && wire != reflect.TypeFor[time.Time]():
		fields := map[string]reflect.Type{}
		for i := range wire.NumField() {
			name, _, _ := strings.Cut(wire.Field(i).Tag.Get("json"), ",")
			fields[name] = wire.Field(i).Type
		}
		got, want := slices.Sorted(maps.Keys(fields)), slices.Sorted(maps.Keys(schema.Properties))
		if !slices.Equal(got, want) {
			t.Errorf("%s: the struct has %v, the document %v; run go generate ./api", where, got, want)
			return
		}
		for name, property := range schema.Properties {
			checkFields(t, where+"."+name, property.Value, fields[name])
		}
	}
}

// mediaTypes finds every body of the document, by call, status and content type.
func mediaTypes(t *testing.T) map[string]*openapi3.MediaType {
	t.Helper()
	found := map[string]*openapi3.MediaType{}
	for _, c := range calls(t) {
		if c.RequestBody != nil {
			for kind, media := range c.RequestBody.Value.Content {
				found[c.String()+" request "+kind] = media
			}
		}
		for status, response := range c.Responses.Map() {
			for kind, media := range response.Value.Content {
				found[c.String()+" "+status+" "+kind] = media
			}
		}
	}
	return found
}

func examplesOf(media *openapi3.MediaType) []any {
	var examples []any
	if media.Example != nil {
		examples = append(examples, media.Example)
	}
	for _, example := range media.Examples {
		examples = append(examples, example.Value.Value)
	}
	return examples
}

func schemaName(media *openapi3.MediaType) string {
	return strings.TrimPrefix(media.Schema.Ref, "#/components/schemas/")
}
