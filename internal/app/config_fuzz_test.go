package app_test

import (
	"bytes"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seckill-dev/seckill/internal/app"
)

// FuzzLoad: whatever the file says, it is taken or refused in one sentence, and what is taken prints as a file that says
// the same.
func FuzzLoad(f *testing.F) {
	example, err := os.ReadFile(exampleFile)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(example)
	for _, seed := range []string{
		"", "a", "- a", "gate: 2s", "gate: !!binary AA==", "? [a]\n: b", "log: {1: 2}", "log: &a {level: *a}", "{}\n---\n{}",
		"x: &a [1]\ny: *a", "operators: {0: {name: a}}", "tokens: {keys: [{kid: a, secret: 1}]}", "gate: 1970-01-01",
		"trusted_proxies: [::1, 10.0.0.0/8]", "limits: {pending: 0x10}", "data: \"\\0\"", "<<: {gate: 2s}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		config, err := loadText(t, string(content))
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("more than one line: %q", err)
			}
			return
		}
		if hasSecrets(reflect.ValueOf(config)) {
			return // redacted, so the print cannot be loaded
		}
		var printed bytes.Buffer
		if err := config.Print(&printed); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(config, mustLoad(t, printed.String())); diff != "" {
			t.Errorf("%s\n%s", printed.String(), diff)
		}
	})
}

// hasSecrets looks for a secret that is written in the configuration itself.
func hasSecrets(value reflect.Value) bool {
	switch {
	case value.Type() == reflect.TypeFor[app.Secret]():
		return value.String() != ""
	case value.Kind() == reflect.Struct:
		for i := range value.NumField() {
			if hasSecrets(value.Field(i)) {
				return true
			}
		}
	case value.Kind() == reflect.Slice:
		for i := range value.Len() {
			if hasSecrets(value.Index(i)) {
				return true
			}
		}
	}
	return false
}
