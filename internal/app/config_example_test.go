package app_test

import (
	"bytes"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/seckill-dev/seckill/internal/app"
)

const exampleFile = "../../seckill.example.yaml"

func TestExample(t *testing.T) {
	t.Parallel()
	t.Run("says the defaults", func(t *testing.T) {
		t.Parallel()
		config, err := app.Load(app.LoadOptions{File: exampleFile})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(app.Defaults(), config); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("documents every key", func(t *testing.T) {
		t.Parallel()
		content, err := os.ReadFile(exampleFile)
		if err != nil {
			t.Fatal(err)
		}
		var document yaml.Node
		if err := yaml.Unmarshal(content, &document); err != nil {
			t.Fatal(err)
		}
		documented(t, document.Content[0], reflect.TypeFor[app.Config](), "")
	})
}

// documented walks file and struct together: same keys, each with a comment above it. What entries of a list may say is
// shown in the comment of the list.
func documented(t *testing.T, section *yaml.Node, config reflect.Type, path string) {
	t.Helper()
	comments, values := make(map[string]string), make(map[string]*yaml.Node)
	for i := 0; i < len(section.Content); i += 2 {
		key := section.Content[i]
		comments[key.Value], values[key.Value] = key.HeadComment, section.Content[i+1]
	}
	for i := range config.NumField() {
		field := config.Field(i)
		key := field.Tag.Get("yaml")
		value, exists := values[key]
		if !exists {
			t.Errorf("%s%s is missing", path, key)
			continue
		}
		switch {
		case field.Type.Kind() == reflect.Struct:
			documented(t, value, field.Type, path+key+".")
		case comments[key] == "":
			t.Errorf("%s%s has no comment", path, key)
		case field.Type.Kind() == reflect.Slice && field.Type.Elem().Kind() == reflect.Struct:
			for j := range field.Type.Elem().NumField() {
				if name := field.Type.Elem().Field(j).Tag.Get("yaml"); !strings.Contains(comments[key], name+":") {
					t.Errorf("%s%s does not show %s", path, key, name)
				}
			}
		}
	}
}

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
		if hasSecrets(config) {
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

func hasSecrets(config app.Config) bool {
	return slices.ContainsFunc(config.Tokens.Keys, func(key app.TokenKeyConfig) bool { return key.Secret != "" }) ||
		slices.ContainsFunc(config.Operators, func(operator app.OperatorConfig) bool { return operator.Key != "" })
}
