package app

import (
	"fmt"
	"io"
	"log/slog"
)

const redacted = "redacted"

// Secret is a text that prints as "redacted" wherever it is logged, formatted or encoded; an empty one prints as nothing, so
// that "not set" can be seen. string(secret) is the text itself.
type Secret string

func (s Secret) shown() string {
	if s == "" {
		return ""
	}
	return redacted
}

// String implements fmt.Stringer.
func (s Secret) String() string { return s.shown() }

// Format implements fmt.Formatter: no verb shows more than another.
func (s Secret) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, s.shown()) }

// MarshalText implements encoding.TextMarshaler, and with it JSON and YAML.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.shown()), nil }

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.shown()) }
