package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"github.com/seckill-dev/seckill/internal/seckill"
)

const (
	// bodyMax bounds the small bodies, saleBodyMax those that carry a sale with a hundred items.
	bodyMax     = 4096
	saleBodyMax = 256 << 10

	jsonMediaType = "application/json"
)

// decode reads a JSON body into a wire struct, strictly: the document must be one object with exactly the struct's
// fields, each at most once, of the right type and not null. A field whose tag lacks omitempty is required.
func decode(c *gin.Context, bytesMax int64, into any) error {
	body, err := readBody(c, bytesMax)
	if err != nil {
		return err
	}
	return decodeStrict(body, into)
}

func readBody(c *gin.Context, bytesMax int64) ([]byte, error) {
	if !isJSON(c.Request.Header["Content-Type"]) {
		return nil, wrongContentType()
	}
	return readBytes(c, bytesMax)
}

// readBytes reads a body of any type.
func readBytes(c *gin.Context, bytesMax int64) ([]byte, error) {
	if c.Request.ContentLength > bytesMax {
		c.Writer.Header().Set("Connection", "close") // nobody will read what follows
		return nil, tooLarge(bytesMax)
	}
	body, err := readAll(c, bytesMax)
	var overrun *http.MaxBytesError
	switch {
	case errors.As(err, &overrun):
		return nil, tooLarge(bytesMax)
	case err != nil:
		return nil, seckill.InvalidField("body", "the body ended early")
	default:
		return body, nil
	}
}

// readAll reads a body, at once when its length is known.
func readAll(c *gin.Context, bytesMax int64) ([]byte, error) {
	if length := c.Request.ContentLength; length >= 0 {
		body := make([]byte, length)
		_, err := io.ReadFull(c.Request.Body, body)
		return body, err
	}
	return io.ReadAll(http.MaxBytesReader(c.Writer, c.Request.Body, bytesMax))
}

func isJSON(contentTypes []string) bool {
	if len(contentTypes) != 1 {
		return false
	}
	if contentTypes[0] == jsonMediaType {
		return true
	}
	media, parameters, err := mime.ParseMediaType(contentTypes[0])
	if err != nil || media != jsonMediaType {
		return false
	}
	charset, given := parameters["charset"]
	return !given || strings.EqualFold(charset, "utf-8")
}

func decodeStrict(body []byte, into any) error {
	if !utf8.Valid(body) || !json.Valid(body) {
		return seckill.InvalidField("body", "the body is not one JSON document in UTF-8")
	}
	tokens := json.NewDecoder(bytes.NewReader(body))
	tokens.UseNumber()
	return strict{tokens}.value(reflect.ValueOf(into).Elem(), "")
}

// strict walks a document that is known to be valid JSON along a Go type.
type strict struct{ tokens *json.Decoder }

func (s strict) value(into reflect.Value, path string) error {
	token, err := s.tokens.Token()
	if err != nil {
		return fmt.Errorf("walk valid JSON: %w", err)
	}
	if token == nil {
		return invalidAt(path, "must not be null")
	}
	if into.Kind() == reflect.Pointer {
		into.Set(reflect.New(into.Type().Elem()))
		into = into.Elem()
	}
	if moment, isTime := into.Addr().Interface().(*time.Time); isTime {
		return setTime(moment, token, path)
	}
	switch into.Kind() {
	case reflect.Struct:
		return s.object(into, token, path)
	case reflect.Slice:
		return s.array(into, token, path)
	case reflect.Int, reflect.Int64:
		return setInt(into, token, path)
	case reflect.String:
		text, isText := token.(string)
		if !isText {
			return invalidAt(path, "must be a text")
		}
		into.SetString(text)
		return nil
	case reflect.Bool:
		truth, isBool := token.(bool)
		if !isBool {
			return invalidAt(path, "must be true or false")
		}
		into.SetBool(truth)
		return nil
	default:
		return fmt.Errorf("decode %s: a wire struct has a %s", path, into.Kind())
	}
}

func (s strict) object(into reflect.Value, open json.Token, path string) error {
	if open != json.Delim('{') {
		return invalidAt(path, "must be an object")
	}
	fields := fieldsOf(into.Type())
	for s.tokens.More() {
		key, err := s.tokens.Token()
		if err != nil {
			return fmt.Errorf("walk valid JSON: %w", err)
		}
		name, _ := key.(string)
		field := fields[name]
		switch {
		case field == nil:
			return invalidAt(join(path, name), "is not a known field")
		case field.seen:
			return invalidAt(join(path, name), "is there twice")
		}
		field.seen = true
		if err := s.value(into.Field(field.index), join(path, name)); err != nil {
			return err
		}
	}
	if _, err := s.tokens.Token(); err != nil {
		return fmt.Errorf("walk valid JSON: %w", err)
	}
	return missing(fields, into.Type(), path)
}

func (s strict) array(into reflect.Value, open json.Token, path string) error {
	if open != json.Delim('[') {
		return invalidAt(path, "must be a list")
	}
	list := reflect.MakeSlice(into.Type(), 0, 0)
	for s.tokens.More() {
		element := reflect.New(into.Type().Elem()).Elem()
		if err := s.value(element, index(path, list.Len())); err != nil {
			return err
		}
		list = reflect.Append(list, element)
	}
	into.Set(list)
	if _, err := s.tokens.Token(); err != nil {
		return fmt.Errorf("walk valid JSON: %w", err)
	}
	return nil
}

// wireField is one field of a wire struct while it is being read.
type wireField struct {
	index    int
	required bool
	seen     bool
}

func fieldsOf(wire reflect.Type) map[string]*wireField {
	fields := make(map[string]*wireField, wire.NumField())
	for i := range wire.NumField() {
		name, options, _ := strings.Cut(wire.Field(i).Tag.Get("json"), ",")
		fields[name] = &wireField{index: i, required: !strings.Contains(options, "omitempty")}
	}
	return fields
}

// missing names the first required field that was not there, in the struct's order so that the answer is always the same.
func missing(fields map[string]*wireField, wire reflect.Type, path string) error {
	for i := range wire.NumField() {
		name, _, _ := strings.Cut(wire.Field(i).Tag.Get("json"), ",")
		if field := fields[name]; field.required && !field.seen {
			return invalidAt(join(path, name), "is missing")
		}
	}
	return nil
}

// setInt takes whole numbers as they are usually written: 1e3 and 1.0 are refused, since half the world's parsers would
// read something else.
func setInt(into reflect.Value, token json.Token, path string) error {
	number, isNumber := token.(json.Number)
	if !isNumber || strings.ContainsAny(number.String(), ".eE") {
		return invalidAt(path, "must be a whole number")
	}
	n, err := strconv.ParseInt(number.String(), 10, 64)
	if err != nil || into.OverflowInt(n) {
		return invalidAt(path, "is out of range")
	}
	into.SetInt(n)
	return nil
}

func setTime(into *time.Time, token json.Token, path string) error {
	text, _ := token.(string)
	moment, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return invalidAt(path, "must be an RFC 3339 time such as 2026-03-20T10:00:00Z")
	}
	*into = moment
	return nil
}

func invalidAt(path, what string) error {
	if path == "" {
		path = "body"
	}
	return seckill.InvalidField(bounded(path), bounded(path)+" "+what)
}

// fieldMax bounds how much of a client's own words is given back.
const fieldMax = 64

func bounded(path string) string {
	if len(path) <= fieldMax {
		return path
	}
	return strings.ToValidUTF8(path[:fieldMax], "") + "…"
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func index(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }
