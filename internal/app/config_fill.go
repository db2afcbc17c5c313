package app

import (
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// listMax bounds a list in the configuration.
const listMax = 100

// fill puts settings, as a source wrote them, into the configuration. Sources differ in their types (the environment has
// only texts), so each kind says itself what it takes, and what it refuses in one sentence.
func fill(config *Config, settings map[string]any) error {
	return fillStruct(reflect.ValueOf(config).Elem(), settings, "")
}

func fillStruct(target reflect.Value, settings map[string]any, path string) error {
	fields := keysOf(target.Type())
	for _, key := range slices.Sorted(maps.Keys(settings)) {
		index, known := fields[key]
		if !known && strings.Contains(key, ".") {
			return fmt.Errorf("%s: write its levels below one another, not with dots", shown(path+key))
		}
		if !known {
			return unknown(path + key)
		}
		if err := fillValue(target.Field(index), settings[key], path+key); err != nil {
			return err
		}
	}
	return nil
}

// keysOf maps the keys of a struct to its fields.
func keysOf(t reflect.Type) map[string]int {
	keys := make(map[string]int, t.NumField())
	for i := range t.NumField() {
		keys[t.Field(i).Tag.Get("yaml")] = i
	}
	return keys
}

func fillValue(target reflect.Value, value any, path string) error {
	if value == nil {
		return fmt.Errorf("%s: has no value; give it one, or leave the key out", path)
	}
	switch target.Kind() {
	case reflect.Struct:
		section, isSection := value.(map[string]any)
		if _, mixed := value.(map[any]any); mixed {
			return fmt.Errorf("%s: has a key that is not a text", path)
		}
		if !isSection {
			return fmt.Errorf("%s: is a section, so its keys go below it, not a single value", path) // which may be a secret
		}
		return fillStruct(target, section, path+".")
	case reflect.Slice:
		return fillList(target, value, path)
	default:
		return fillScalar(target, value, path)
	}
}

// fillList takes a list, a text with commas (texts only), or a section with the keys 0, 1, 2 …: what the environment can say.
func fillList(target reflect.Value, value any, path string) error {
	var entries []any
	switch v := value.(type) {
	case []any:
		entries = v
	case []string:
		for _, text := range v {
			entries = append(entries, text)
		}
	case map[string]any:
		for i := range len(v) {
			entry, exists := v[strconv.Itoa(i)]
			if !exists {
				return fmt.Errorf("%s: must be a list; by number it begins at 0 and leaves none out", path)
			}
			entries = append(entries, entry)
		}
	case string:
		if target.Type().Elem().Kind() != reflect.String {
			return fmt.Errorf("%s: must be a list, got a text", path)
		}
		for _, text := range strings.FieldsFunc(v, func(r rune) bool { return r == ',' }) {
			entries = append(entries, strings.TrimSpace(text))
		}
	default:
		return fmt.Errorf("%s: must be a list, got %s", path, shown(value))
	}
	if len(entries) > listMax {
		return fmt.Errorf("%s: has %d entries, at most %d are read", path, len(entries), listMax)
	}
	list := reflect.MakeSlice(target.Type(), len(entries), len(entries))
	for i, entry := range entries {
		if err := fillValue(list.Index(i), entry, fmt.Sprintf("%s[%d]", path, i)); err != nil {
			return err
		}
	}
	target.Set(list)
	return nil
}

func fillScalar(target reflect.Value, value any, path string) error {
	if target.Type() == reflect.TypeFor[time.Duration]() {
		return fillDuration(target, value, path)
	}
	switch target.Kind() {
	case reflect.String:
		return fillText(target, value, path)
	case reflect.Bool:
		return fillBool(target, value, path)
	case reflect.Int, reflect.Int64:
		return fillInt(target, value, path, math.MinInt64, math.MaxInt64, target.SetInt)
	case reflect.Uint8, reflect.Uint32:
		most := int64(1)<<target.Type().Bits() - 1
		return fillInt(target, value, path, 0, most, func(n int64) { target.SetUint(uint64(n)) }) //nolint:gosec // within 0 and most
	default:
		return fmt.Errorf("%s: settings of kind %s cannot be read", path, target.Kind())
	}
}

func fillText(target reflect.Value, value any, path string) error {
	text, isText := value.(string)
	if !isText {
		if target.Type() == reflect.TypeFor[Secret]() {
			return fmt.Errorf("%s: must be a text; put it in quotes", path)
		}
		return fmt.Errorf("%s: must be a text, got %s; put it in quotes", path, shown(value))
	}
	target.SetString(text)
	return nil
}

func fillBool(target reflect.Value, value any, path string) error {
	switch fmt.Sprint(value) {
	case "true":
		target.SetBool(true)
	case "false":
		target.SetBool(false)
	default:
		return fmt.Errorf("%s: must be true or false, got %s", path, shown(value))
	}
	return nil
}

func fillInt(target reflect.Value, value any, path string, least, most int64, set func(int64)) error {
	var n int64
	var err error
	switch v := value.(type) {
	case int:
		n = int64(v)
	case int64:
		n = v
	case string:
		n, err = strconv.ParseInt(v, 10, 64)
	default:
		err = strconv.ErrSyntax
	}
	if err != nil {
		return fmt.Errorf("%s: must be a whole number, got %s", path, shown(value))
	}
	if n < least || n > most || target.CanInt() && target.OverflowInt(n) {
		return fmt.Errorf("%s: %d is out of range", path, n)
	}
	set(n)
	return nil
}

func fillDuration(target reflect.Value, value any, path string) error {
	switch v := value.(type) {
	case time.Duration:
		target.SetInt(int64(v))
		return nil
	case string:
		if d, err := time.ParseDuration(v); err == nil {
			target.SetInt(int64(d))
			return nil
		}
	}
	return fmt.Errorf("%s: must be a duration with its unit, such as 500ms, 30s or 1h, got %s", path, shown(value))
}

// shown is a wrong value in an error: short, and on one line.
func shown(value any) string {
	const most = 40
	switch value.(type) {
	case map[string]any, map[any]any:
		return "a section"
	case []any:
		return "a list"
	}
	text, isText := value.(string)
	if !isText {
		return fmt.Sprint(value)
	}
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most]) + "…"
	}
	return strconv.Quote(text)
}
