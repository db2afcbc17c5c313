package app_test

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seckill-dev/seckill/internal/app"
)

// loader writes one file again and again: a folder for each input would take longer than what is looked at.
func loader(f *testing.F) func(t *testing.T, content string, env ...string) (app.Config, error) {
	f.Helper()
	path := filepath.Join(f.TempDir(), "seckill.yaml")
	return func(t *testing.T, content string, env ...string) (app.Config, error) {
		t.Helper()
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return app.Load(app.LoadOptions{File: path, Env: env})
	}
}

// expectPrinted wants a configuration to print as a file that says the same.
func expectPrinted(t *testing.T, config app.Config, load func(t *testing.T, content string, env ...string) (app.Config, error)) {
	t.Helper()
	if hasSecrets(reflect.ValueOf(config)) {
		return // redacted, so the print cannot be loaded
	}
	var printed bytes.Buffer
	if err := config.Print(&printed); err != nil {
		t.Fatal(err)
	}
	again, err := load(t, printed.String())
	if diff := cmp.Diff(config, again); diff != "" || err != nil {
		t.Errorf("%v: %s\n%s", err, printed.String(), diff)
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
	load := loader(f)
	f.Fuzz(func(t *testing.T, content []byte) {
		config, err := load(t, string(content))
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("more than one line: %q", err)
			}
			return
		}
		expectPrinted(t, config, load)
	})
}

// FuzzEnvironment: a variable is taken, and prints as a file that says the same, or refused in one sentence that names it;
// what it holds is quoted of none that may be a secret.
func FuzzEnvironment(f *testing.F) {
	for _, seed := range [][2]string{
		{"GATE", "2s"},
		{"LISTEN", ":8080"},
		{"TRUSTED_PROXIES", "::1, 10.0.0.0/8"},
		{"LIMITS__PENDING", "0x10"},
		{"LIMITS__PENDING", "-1"},
		{"REDIS__LOGIN__PASSWORD", "a secret of ours"},
		{"REDIS__ADDRESSES", "[a, b]"},
		{"SHARDS__0__LOGIN__PASSWORD", "[a secret of ours"},
		{"LIMITS", "1"},
		{"LIMITS__", "1"},
		{"__", "1"},
		{"", ""},
		{"GATE.X", "1"},
		{"gate", "2s"},
		{"PORT", "tcp://10.0.0.1:80"},
		{"REDIS__TLS__CA", "\x00"},
		{"LOG__LEVEL", "debug\nx: y"},
		{"EVENTS__WEBHOOKS__0__SECRET", "whsec_a secret of ours"},
	} {
		f.Add(seed[0], seed[1])
	}
	load := loader(f)
	f.Fuzz(func(t *testing.T, name, value string) {
		if strings.ContainsAny(name, "=\x00") || strings.Contains(value, "\x00") {
			t.Skip("no process has such a variable")
		}
		config, err := load(t, "", "SECKILL_"+name+"="+value)
		if err != nil {
			isLine := !strings.ContainsAny(err.Error(), "\r\n") || strings.ContainsAny(name, "\r\n")
			isSecret := strings.HasSuffix(name, "PASSWORD") || strings.HasSuffix(name, "SECRET")
			if !isLine || isSecret && strings.Contains(value, "a secret of ours") && strings.Contains(err.Error(), "a secret of ours") {
				t.Errorf("%s=%q: %q", name, value, err)
			}
			return
		}
		expectPrinted(t, config, load)
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
