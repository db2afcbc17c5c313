package contract

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// render writes answers in a form in which those of two stores are the same: a time is only there or not, and so is an id
// that a store has made itself; of an error only its kind is there.
func render(answers []any) string {
	var b strings.Builder
	for _, answer := range answers {
		if err, failed := answer.(error); failed {
			b.WriteString(kindOf(err))
		} else {
			renderValue(&b, reflect.ValueOf(answer))
		}
		b.WriteString("; ")
	}
	return b.String()
}

// kindOf is what a caller can tell of an error.
func kindOf(err error) string {
	if reason := seckill.ReasonOf(err); reason != "" {
		return string(reason)
	}
	for _, known := range []error{seckill.ErrNotFound, seckill.ErrPoison, seckill.ErrTransient} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	return "another error"
}

// made are the fields that hold ids which stores make, or their clock, or words of their own.
func made(of reflect.Type, field string) bool {
	switch of {
	case reflect.TypeFor[seckill.Owed](), reflect.TypeFor[seckill.Event]():
		return field == "ID" || field == "Data"
	case reflect.TypeFor[seckill.OrderEvent]():
		return field == "Tells"
	case reflect.TypeFor[seckill.Stock]():
		return field == "Halted"
	case reflect.TypeFor[seckill.Doubled]():
		return field == "Cause"
	default:
		return false
	}
}

func renderValue(b *strings.Builder, v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		renderStruct(b, v)
	case reflect.Slice, reflect.Array:
		b.WriteByte('[')
		for i := range v.Len() {
			renderValue(b, v.Index(i))
			b.WriteByte(' ')
		}
		b.WriteByte(']')
	case reflect.Map:
		var entries []string
		for _, key := range v.MapKeys() {
			entries = append(entries, fmt.Sprintf("%v:%v", key, v.MapIndex(key)))
		}
		slices.Sort(entries)
		fmt.Fprint(b, entries)
	case reflect.Invalid:
		b.WriteString("ok")
	default:
		fmt.Fprint(b, v)
	}
}

func renderStruct(b *strings.Builder, v reflect.Value) {
	if at, timed := v.Interface().(time.Time); timed {
		fmt.Fprint(b, !at.IsZero())
		return
	}
	b.WriteByte('{')
	for i := range v.NumField() {
		name := v.Type().Field(i).Name
		fmt.Fprint(b, name, ":")
		if made(v.Type(), name) {
			fmt.Fprint(b, !v.Field(i).IsZero())
		} else {
			renderValue(b, v.Field(i))
		}
		b.WriteByte(' ')
	}
	b.WriteByte('}')
}

// inOrder sorts rows by what is left of them: they come in the order of ids that stores make.
func inOrder[T any](rows []T) []string {
	lines := make([]string, len(rows))
	for i, row := range rows {
		lines[i] = render([]any{row})
	}
	slices.Sort(lines)
	return lines
}
