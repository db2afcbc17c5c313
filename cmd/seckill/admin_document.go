package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// documentMax bounds a file that describes a sale; the API takes a quarter of it.
const documentMax = 1 << 20

// readDocument reads a YAML or JSON file into what the API takes, strictly; "-" is standard input.
func readDocument(path string, into any) error {
	content, err := readAll(path)
	if err != nil {
		return fmt.Errorf("read the file: %w", err)
	}
	if err := decodeDocument(content, time.Now().UTC(), into); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func readAll(path string) ([]byte, error) {
	file := os.Stdin
	if path != "-" {
		var err error
		if file, err = os.Open(path); err != nil {
			return nil, err
		}
		defer file.Close()
	}
	content, err := io.ReadAll(io.LimitReader(file, documentMax+1))
	if err == nil && len(content) > documentMax {
		err = fmt.Errorf("%s is larger than %d bytes", path, documentMax)
	}
	return content, err
}

func decodeDocument(content []byte, now time.Time, into any) error {
	var whole any
	if err := yaml.Unmarshal(content, &whole); err != nil { // JSON is YAML
		return errors.New(strings.Join(strings.Fields(err.Error()), " "))
	}
	document, hasFields := whole.(map[string]any)
	switch {
	case whole != nil && !hasFields:
		return errors.New("has no fields, such as name: Friday")
	case len(document) == 0:
		return errors.New("says nothing")
	}
	for _, key := range []string{"starts_at", "ends_at"} {
		text, isText := document[key].(string)
		if !isText {
			continue
		}
		at, err := readTime(text, now)
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		document[key] = at
	}
	text, err := json.Marshal(document)
	if err != nil {
		return err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	return plainly(decoder.Decode(into))
}

// plainly says what does not fit into a document in its own words, not in Go's.
func plainly(err error) error {
	var wrong *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &wrong) && wrong.Type.Kind() == reflect.Int64:
		return fmt.Errorf("%s is a whole number, not %s (prices are in minor units: 4999 in EUR is 49.99)",
			wrong.Field, strings.TrimPrefix(wrong.Value, "number "))
	case errors.As(err, &wrong):
		return fmt.Errorf("%s cannot be a %s", wrong.Field, wrong.Value)
	default:
		return errors.New(strings.TrimPrefix(err.Error(), "json: "))
	}
}

// readTime reads a moment, or how far from now one is.
func readTime(text string, now time.Time) (time.Time, error) {
	if strings.HasPrefix(text, "+") || strings.HasPrefix(text, "-") {
		if ahead, err := time.ParseDuration(text); err == nil {
			return now.Add(ahead).Truncate(time.Millisecond), nil
		}
	} else if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at, nil
	}
	return time.Time{}, fmt.Errorf("%q is not a time such as 2026-03-20T10:00:00Z or +30s", text)
}
