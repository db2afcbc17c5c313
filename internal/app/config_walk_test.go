package app_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/seckill-dev/seckill/internal/app"
)

// setting is one key of the configuration as operators see it: the struct says its name and default, the comment in the
// struct what it means.
type setting struct {
	key     string // dotted; entries of lists are written with []
	prose   []string
	sample  []string // entries of a list, as the comment shows them
	section bool
	value   string // the default, as YAML
	below   []setting
}

// name is the last part of the key.
func (s setting) name() string { return s.key[strings.LastIndex(s.key, ".")+1:] }

// variable is the key in the environment.
func (s setting) variable() string {
	return "SECKILL_" + strings.ToUpper(strings.NewReplacer("[]", "__0", ".", "__").Replace(s.key))
}

// allSettings are the top-level keys in their order.
func allSettings(t *testing.T) []setting {
	t.Helper()
	return settingsOf(t, fieldComments(t), reflect.ValueOf(app.Defaults()), "")
}

func settingsOf(t *testing.T, comments map[string][]string, of reflect.Value, path string) []setting {
	t.Helper()
	var found []setting
	for i := range of.NumField() {
		field, value := of.Type().Field(i), of.Field(i)
		s := setting{key: path + field.Tag.Get("yaml"), section: value.Kind() == reflect.Struct}
		for _, line := range comments[of.Type().Name()+"."+field.Name] {
			if strings.HasPrefix(line, "  ") {
				s.sample = append(s.sample, line)
			} else {
				s.prose = append(s.prose, line)
			}
		}
		if len(s.prose) == 0 {
			t.Errorf("%s.%s has no comment that says what it means", of.Type().Name(), field.Name)
		}
		switch {
		case s.section:
			s.below = settingsOf(t, comments, value, s.key+".")
		case value.Kind() == reflect.Slice && value.Type().Elem().Kind() == reflect.Struct:
			s.below = settingsOf(t, comments, reflect.Zero(value.Type().Elem()), s.key+"[].")
		}
		s.value = asYAML(t, value.Interface())
		found = append(found, s)
	}
	return found
}

func asYAML(t *testing.T, value any) string {
	t.Helper()
	if duration, is := value.(time.Duration); is {
		text := duration.String()
		for _, zero := range []string{"m0s", "h0m"} { // 1h is 1h0m0s
			if strings.HasSuffix(text, zero) {
				text = text[:len(text)-2]
			}
		}
		return text
	}
	if list := reflect.ValueOf(value); list.Kind() == reflect.Slice && list.Len() == 0 {
		return "[]"
	}
	text, err := yaml.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}

// fieldComments reads the comments above the fields of every struct of the configuration, by "Struct.Field".
func fieldComments(t *testing.T) map[string][]string {
	t.Helper()
	files, err := filepath.Glob("config*.go")
	if err != nil {
		t.Fatal(err)
	}
	comments := make(map[string][]string)
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(node ast.Node) bool {
			declared, is := node.(*ast.TypeSpec)
			if !is {
				return true
			}
			if of, is := declared.Type.(*ast.StructType); is {
				addComments(comments, declared.Name.Name, of)
			}
			return false
		})
	}
	return comments
}

func addComments(comments map[string][]string, of string, fields *ast.StructType) {
	for _, field := range fields.Fields.List {
		if field.Doc == nil {
			continue
		}
		var lines []string
		for _, comment := range field.Doc.List {
			lines = append(lines, strings.TrimPrefix(strings.TrimPrefix(comment.Text, "//"), " "))
		}
		for _, name := range field.Names {
			comments[of+"."+name.Name] = lines
		}
	}
}
