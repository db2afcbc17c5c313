package app_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seckill-dev/seckill/internal/app"
)

const (
	goodSecret = "p8Zk2vQ1mN7xR4tY6wB3cD5fG9hJ0sLa"
	goodKey    = "Zq4mW8nR2tX6vB1kP9dL"
	// production is a start of the strict kind that takes no payments.
	production = "profile: production\npayments: {provider: none}\n"
)

func loadText(t *testing.T, yaml string, env ...string) (app.Config, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "seckill.yaml")
	if err := os.WriteFile(path, []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	return app.Load(app.LoadOptions{File: path, Env: env})
}

func mustLoad(t *testing.T, yaml string, env ...string) app.Config {
	t.Helper()
	config, err := loadText(t, yaml, env...)
	if err != nil {
		t.Fatal(err)
	}
	return config
}

func TestLoad(t *testing.T) {
	t.Parallel()
	t.Run("gives the defaults when nothing is said", loadNothing)
	t.Run("takes an empty file for no settings", loadEmptyFile)
	t.Run("lets flags override the environment and that the file", loadLayers)
	t.Run("reads numbers, truths and lists from the environment", loadEnvironment)
	t.Run("leaves variables alone that Kubernetes or the tests set", loadForeign)
}

func loadNothing(t *testing.T) {
	t.Parallel()
	config, err := app.Load(app.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(app.Defaults(), config); diff != "" {
		t.Error(diff)
	}
}

func loadEmptyFile(t *testing.T) {
	t.Parallel()
	if diff := cmp.Diff(app.Defaults(), mustLoad(t, "# nothing\n")); diff != "" {
		t.Error(diff)
	}
}

func loadLayers(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "seckill.yaml")
	if err := os.WriteFile(path, []byte("gate: 2s\nlisten: :1\nlog: {level: warn, format: json}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	config, err := app.Load(app.LoadOptions{
		File: path, Env: []string{"SECKILL_LISTEN=:2", "SECKILL_LOG__LEVEL=error", "HOME=/"},
		Flags: map[string]any{"log.level": "debug", "shutdown_timeout": 3 * time.Second, "admin_anywhere": true},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := app.Defaults()
	want.Gate, want.Listen, want.Log = 2*time.Second, ":2", app.LogConfig{Level: "debug", Format: "json"}
	want.ShutdownTimeout, want.AdminAnywhere = 3*time.Second, true
	if diff := cmp.Diff(want, config); diff != "" {
		t.Error(diff)
	}
}

func loadEnvironment(t *testing.T) {
	t.Parallel()
	config := mustLoad(t, "operators: [{name: old, key: "+goodKey+"}]",
		"SECKILL_LIMITS__PER_USER_PER_SECOND=5", "SECKILL_ACCOUNTS__ENABLED=false", "SECKILL_GATE=1500ms",
		"SECKILL_TRUSTED_PROXIES=10.0.0.0/8, ::1", "SECKILL_ACCOUNTS__ARGON2__THREADS=2",
		"SECKILL_OPERATORS__0__NAME=ada", "SECKILL_OPERATORS__0__KEY=k"+goodKey,
		"SECKILL_OPERATORS__1__NAME=ben", "SECKILL_OPERATORS__1__KEY_FILE=/run/ben")
	want := app.Defaults()
	want.Limits.PerUserPerSecond, want.Accounts.Enabled, want.Gate = 5, false, 1500*time.Millisecond
	want.TrustedProxies, want.Accounts.Argon2.Threads = []string{"10.0.0.0/8", "::1"}, 2
	want.Operators = []app.OperatorConfig{{Name: "ada", Key: "k" + goodKey}, {Name: "ben", KeyFile: "/run/ben"}}
	if diff := cmp.Diff(want, config); diff != "" {
		t.Error(diff)
	}
}

func loadForeign(t *testing.T) {
	t.Parallel()
	mustLoad(t, "", "SECKILL_SERVICE_HOST=10.0.0.1", "SECKILL_SERVICE_PORT_HTTP=8080", "SECKILL_PORT=tcp://10.0.0.1:8080",
		"SECKILL_ADMIN_PORT_8081_TCP_ADDR=10.0.0.1", "SECKILL_TEST_REDIS=127.0.0.1:6379", "SECKILL_CONFIG=x.yaml")
}

// refusal is one wrong source and a piece of the sentence it must be refused with.
type refusal struct{ yaml, env, want string }

// TestRefusals: one sentence each, which names the key and never shows a secret.
func TestRefusals(t *testing.T) {
	t.Parallel()
	for _, cases := range []map[string]refusal{wrongValues(), wrongKeys()} {
		for name, c := range cases {
			t.Run("refuses "+name, func(t *testing.T) {
				t.Parallel()
				var env []string
				if c.env != "" {
					env = []string{c.env}
				}
				_, err := loadText(t, c.yaml, env...)
				wantSentence(t, err, c.want)
			})
		}
	}
	t.Run("refuses a file that is not there", func(t *testing.T) {
		t.Parallel()
		_, err := app.Load(app.LoadOptions{File: filepath.Join(t.TempDir(), "no.yaml")})
		wantSentence(t, err, "no.yaml")
	})
	t.Run("refuses an unknown flag", func(t *testing.T) {
		t.Parallel()
		_, err := app.Load(app.LoadOptions{Flags: map[string]any{"limits": 1}})
		wantSentence(t, err, "command line: limits: is a section")
	})
}

func wantSentence(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil {
		t.Fatal("it was taken")
	}
	if !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
		t.Errorf("got  %s\nwant %s", err, want)
	}
	if strings.Contains(err.Error(), goodSecret) || strings.Contains(err.Error(), "12345") {
		t.Errorf("the secret is in the error: %s", err)
	}
}

func tokenKeys(entries string) string { return "tokens: {keys: [" + entries + "]}" }

func wrongValues() map[string]refusal {
	return map[string]refusal{
		"a number that is too small":    {"limits: {per_user_per_second: 0}", "", "limits.per_user_per_second: must be at least 1, got 0"},
		"a number from the environment": {"", "SECKILL_LIMITS__PENDING=many", `limits.pending: must be a whole number, got "many"`},
		"a fraction":                    {"limits: {pending: 1.5}", "", "limits.pending: must be a whole number, got 1.5"},
		"a number with an exponent":     {"limits: {pending: 1e3}", "", "limits.pending: must be a whole number, got 1000"},
		"a number that overflows":       {"accounts: {argon2: {threads: 256}}", "", "accounts.argon2.threads: 256 is out of range"},
		"a negative unsigned number":    {"accounts: {argon2: {passes: -1}}", "", "accounts.argon2.passes: -1 is out of range"},
		"a duration without unit":       {"gate: 2", "", "gate: must be a duration with its unit, such as 500ms, 30s or 1h, got 2"},
		"a gate that is too short":      {"gate: 999ms", "", "gate: must be at least 1s, got 999ms"},
		"a gate that is too long":       {"gate: 5001ms", "", "gate: must be at most 5s, got 5.001s"},
		"a truth that is none":          {"accounts: {enabled: maybe}", "", `accounts.enabled: must be true or false, got "maybe"`},
		"a text that is a number":       {"data: 7", "", "data: must be a text, got 7; put it in quotes"},
		"a key without value":           {"operators:\n", "", "operators: has no value; give it one, or leave the key out"},
		"a value for a section":         {"log: debug", "", `log: is a section, so its keys go below it, not a single value`},
		"a section for a value":         {"data: {a: b}", "", "data: must be a text, got a section; put it in quotes"},
		"a profile":                     {"profile: prod", "", `profile: must be development or production, got "prod"`},
		"a backend":                     {"backend: cloud", "", `backend: must be embedded or services, got "cloud"`},
		"an address":                    {"listen: localhost", "", `listen: must be host:port or :port, got "localhost"`},
		"a port":                        {"listen: :99999", "", `listen: must end with a port from 0 to 65535, got ":99999"`},
		"one address for both":          {"listen: 127.0.0.1:8081", "", `admin_listen: must be another address than listen, got "127.0.0.1:8081" for both`},
		"a proxy":                       {"trusted_proxies: [all]", "", `trusted_proxies[0]: must be an address or a network such as 10.0.0.0/8, got "all"`},
		"a log level":                   {"log: {level: loud}", "", `log.level: must be debug or info or warn or error, got "loud"`},
		"a short secret":                {tokenKeys("{kid: a, secret: short}"), "", "tokens.keys[0].secret: must have at least 32 characters, got 5"},
		"a secret that is a number":     {tokenKeys("{kid: a, secret: 12345}"), "", "tokens.keys[0].secret: must be a text; put it in quotes"},
		"no secret":                     {tokenKeys("{kid: a}"), "", "tokens.keys[0].secret: is missing; write it here or name its file in secret_file"},
		"two secrets":                   {tokenKeys("{kid: a, secret: " + goodSecret + ", secret_file: f}"), "", "tokens.keys[0].secret: cannot be set along with secret_file; choose one"},
		"a key id twice":                {tokenKeys("{kid: a, secret_file: f}, {kid: a, secret_file: g}"), "", `tokens.keys[1].kid: "a" is there twice`},
		"an operator's name":            {"operators: [{name: 'a b', key_file: f}]", "", `operators[0].name: must be 1-64 letters, digits or _ . : @ -, got "a b"`},
		"an operator's short key":       {"operators: [{name: a, key: short}]", "", "operators[0].key: must have at least 20 characters, got 5"},
		"accounts without a signer":     {"tokens: {jwks_file: f}", "", "accounts.enabled: must be false along with tokens.jwks_file, which holds no key to sign tokens with"},
		"keys and a key file":           {"tokens: {jwks_file: f, keys: [{kid: a, secret_file: f}]}", "", "tokens.jwks_file: cannot be set along with tokens.keys; choose one"},
	}
}

func wrongKeys() map[string]refusal {
	return map[string]refusal{
		"an unknown key":                 {"limits: {per_user_per_secnd: 1}", "", "limits.per_user_per_secnd: is not a setting; the nearest one is limits.per_user_per_second"},
		"an unknown section":             {"limit: {pending: 1}", "", "limit: is not a setting; the nearest one is limits"},
		"a key outside of its section":   {"pending: 1", "", "pending: is not a setting; the nearest one is limits.pending"},
		"an unknown key in a list":       {tokenKeys("{id: a}"), "", "tokens.keys[0].id: is not a setting; the nearest one is tokens.keys[].kid"},
		"a key with dots":                {"limits.pending: 1", "", `"limits.pending": write its levels below one another, not with dots`},
		"an unknown variable":            {"", "SECKILL_LISTN=:1", "environment variable SECKILL_LISTN: listn: is not a setting; the nearest one is listen"},
		"a section from the environment": {"", "SECKILL_LOG=debug", "environment variable SECKILL_LOG: log: is a section; set one of its keys, such as log.level"},
		"a key that is a poem":           {"\"a\\nb\": 1", "", `"a\nb": is not a setting`},
		"a list with a gap":              {"", "SECKILL_OPERATORS__1__NAME=a", "operators: must be a list; by number it begins at 0 and leaves none out"},
		"a key twice":                    {"gate: 1s\ngate: 2s", "", `mapping key "gate" already defined at line 1`},
		"two documents":                  {"gate: 1s\n---\ngate: 2s", "", "there is more than one YAML document; only one is read"},
		"a list for a file":              {"- a", "", "not a YAML file of settings"},
	}
}

// TestProduction: what development warns about, production refuses.
func TestProduction(t *testing.T) {
	t.Parallel()
	const tokens = "tokens: {keys: [{kid: a, secret: " + goodSecret + "}]}\n"
	const operators = "operators: [{name: ada, key: " + goodKey + "}]\n"
	t.Run("starts with keys of its own", func(t *testing.T) {
		t.Parallel()
		config := mustLoad(t, production+tokens+operators)
		if warnings := config.Warnings(); len(warnings) > 0 {
			t.Error(warnings)
		}
	})
	for name, c := range map[string]struct{ yaml, key string }{
		"no token keys":             {operators, "tokens.keys"},
		"no operators":              {tokens, "operators"},
		"a public admin listener":   {tokens + operators + "admin_listen: :8081\n", "admin_listen"},
		"an admin listener by name": {tokens + operators + "admin_listen: admin.internal:8081\n", "admin_listen"},
		"a placeholder":             {operators + "tokens: {keys: [{kid: a, secret: change-me-change-me-change-me-change-me}]}\n", "tokens.keys[0].secret"},
		"a repeated letter":         {tokens + "operators: [{name: ada, key: aaaaaaaaaaaaaaaaaaaaaaaa}]\n", "operators[0].key"},
		"a generated key":           {operators + "data: d\ntokens: {keys: [{kid: a, secret_file: ./d/keys/token.key}]}\n", "tokens.keys[0].secret"},
		"everybody's tokens":        {operators + "tokens: {jwks_file: f}\naccounts: {enabled: false}\n", "tokens.audience"},
		"cheap passwords":           {tokens + operators + "accounts: {argon2: {memory_kib: 1024}}\n", "accounts.argon2.memory_kib"},
	} {
		t.Run("refuses "+name, func(t *testing.T) {
			t.Parallel()
			_, err := loadText(t, production+c.yaml)
			if err == nil || !strings.HasPrefix(err.Error(), c.key+": ") {
				t.Errorf("got %v, want a sentence about %s", err, c.key)
			}
			config := mustLoad(t, c.yaml)
			found := false
			for _, warning := range config.Warnings() {
				found = found || strings.HasPrefix(warning, c.key+": ")
			}
			if !found {
				t.Errorf("development does not warn about %s: %q", c.key, config.Warnings())
			}
		})
	}
	t.Run("takes a public admin listener that is allowed", func(t *testing.T) {
		t.Parallel()
		mustLoad(t, production+"admin_listen: :8081\nadmin_anywhere: true\n"+tokens+operators)
	})
}

func TestSecret(t *testing.T) {
	t.Parallel()
	config := mustLoad(t, "tokens: {keys: [{kid: a, secret: "+goodSecret+"}]}\noperators: [{name: ada, key: "+goodKey+"}]")
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		fmt.Fprintf(&out, verb+"\n", config)
		fmt.Fprintf(&out, verb+"\n", config.Operators[0].Key)
	}
	asJSON, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	out.Write(asJSON)
	if err := config.Print(&out); err != nil {
		t.Fatal(err)
	}
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "config", config, "key", config.Operators[0].Key)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "config", config, "key", config.Operators[0].Key)
	for _, secret := range []string{goodSecret, goodKey} {
		for _, form := range []string{secret, fmt.Sprintf("%x", secret), fmt.Sprintf("%X", secret)} {
			if strings.Contains(out.String(), form) {
				t.Errorf("the secret is printed as %s", form)
			}
		}
	}
	if !strings.Contains(out.String(), "secret: redacted") {
		t.Error("config print does not say that there is a secret")
	}
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	t.Run("are made once in development and kept", credentialsGenerated)
	t.Run("are not made by who only reads them", credentialsNotGenerated)
	t.Run("are read from files", credentialsFromFiles)
	for name, content := range map[string]string{
		"a short key": "short", "a placeholder": strings.Repeat("change-me-", 5), "two lines": goodSecret + "\n" + goodSecret,
	} {
		t.Run("are refused in production with "+name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "key")
			if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			config := mustLoad(t, production+"tokens: {keys: [{kid: a, secret_file: "+file+"}]}\n"+
				"operators: [{name: ada, key: "+goodKey+"}]")
			if _, err := config.Credentials(); err == nil || !strings.HasPrefix(err.Error(), "tokens.keys[0].secret_file: ") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func credentialsGenerated(t *testing.T) {
	t.Parallel()
	config := app.Defaults()
	config.Data = filepath.Join(t.TempDir(), "data")
	const starts = 8
	found := make([]app.Credentials, starts)
	var all sync.WaitGroup
	for i := range starts {
		all.Go(func() {
			var err error
			if found[i], err = config.KeepCredentials(); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for _, other := range found {
		if diff := cmp.Diff(found[0], other); diff != "" {
			t.Fatal(diff)
		}
	}
	files, err := filepath.Glob(filepath.Join(config.Data, "keys", "*"))
	if err != nil || len(files) != 2 {
		t.Fatalf("%q, %v", files, err)
	}
	for _, file := range files {
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", file, info.Mode(), err)
		}
	}
}

func credentialsNotGenerated(t *testing.T) {
	t.Parallel()
	config := app.Defaults()
	config.Data = filepath.Join(t.TempDir(), "data")
	_, err := config.Credentials()
	_, errMinter := app.NewMinter(config)
	for _, err := range []error{err, errMinter} {
		if err == nil || !strings.HasPrefix(err.Error(), "data: there are no keys in "+config.Data+"; ") {
			t.Errorf("got %v", err)
		}
	}
	if _, err := os.Stat(config.Data); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the folder was made: %v", err)
	}
}

func credentialsFromFiles(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	file := filepath.Join(folder, "key")
	if err := os.WriteFile(file, []byte(goodSecret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	config := mustLoad(t, production+"tokens: {keys: [{kid: a, secret_file: "+file+"}]}\n"+
		"operators: [{name: ada, key_file: "+file+"}]")
	found, err := config.Credentials()
	if err != nil {
		t.Fatal(err)
	}
	if string(found.Tokens[0].Key) != goodSecret || found.Operators[0].Key != goodSecret {
		t.Error("another key was read")
	}
}
