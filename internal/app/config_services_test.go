package app_test

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/seckill-dev/seckill/internal/app"
	"github.com/seckill-dev/seckill/internal/testenv"
)

// change sets one setting, by its dotted path, in the file that the README shows; nil leaves it out.
type change struct {
	path  string
	value any
}

// changed is that file with some changes.
func changed(t *testing.T, changes ...change) string {
	t.Helper()
	var file map[string]any
	if err := yaml.Unmarshal(servicesFile(t), &file); err != nil {
		t.Fatal(err)
	}
	for _, c := range changes {
		alter(t, file, strings.Split(c.path, "."), c.value)
	}
	text, err := yaml.Marshal(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func alter(t *testing.T, node any, path []string, value any) {
	t.Helper()
	switch below := node.(type) {
	case []any:
		n, err := strconv.Atoi(path[0])
		if err != nil {
			t.Fatal(err)
		}
		alter(t, below[n], path[1:], value)
	case map[string]any:
		switch {
		case len(path) > 1 && below[path[0]] == nil:
			section := map[string]any{}
			below[path[0]] = section
			alter(t, section, path[1:], value)
		case len(path) > 1:
			alter(t, below[path[0]], path[1:], value)
		case value == nil:
			delete(below, path[0])
		default:
			below[path[0]] = value
		}
	default:
		t.Fatalf("no %v in %v", path, node)
	}
}

func TestServices(t *testing.T) {
	t.Parallel()
	t.Run("takes the file that the README shows, as a production start", func(t *testing.T) {
		t.Parallel()
		config := mustLoad(t, changed(t))
		if config.Profile != app.ProfileProduction || len(config.Warnings()) > 0 {
			t.Errorf("profile %s, warnings %q", config.Profile, config.Warnings())
		}
	})
	t.Run("is a development start when that is said", func(t *testing.T) {
		t.Parallel()
		if config := mustLoad(t, changed(t, change{"profile", "development"})); config.Profile != app.ProfileDevelopment {
			t.Errorf("profile %s", config.Profile)
		}
	})
	t.Run("does not look at servers that are not used", func(t *testing.T) {
		t.Parallel()
		mustLoad(t, changed(t, change{"backend", "embedded"}, change{"redis.addresses", []string{"nonsense"}}))
	})
	for name, c := range wrongServers() {
		t.Run("refuses "+name, func(t *testing.T) {
			t.Parallel()
			_, err := loadText(t, changed(t, c.change))
			wantSentence(t, err, c.want)
		})
	}
	for name, c := range unsafeServers() {
		t.Run("refuses in production and warns in development of "+name, func(t *testing.T) {
			t.Parallel()
			_, err := loadText(t, changed(t, c.change))
			wantSentence(t, err, c.want)
			config := mustLoad(t, changed(t, c.change, change{"profile", "development"}))
			warnings := config.Warnings()
			if want := strings.TrimSuffix(c.want, " (refused by profile: production)"); !strings.Contains(strings.Join(warnings, "\n"), want) {
				t.Errorf("development warns %q, not %q", warnings, want)
			}
		})
	}
}

// wrongServer is one change that makes a good file wrong, and the sentence it is refused with.
type wrongServer struct {
	change

	want string
}

func wrongServers() map[string]wrongServer {
	return map[string]wrongServer{
		"no redis":                      {change{"redis", nil}, "redis.addresses: is missing; name at least one host:port"},
		"a redis without port":          {change{"redis.addresses", []string{"cache"}}, `redis.addresses[0]: must be host:port, got "cache"`},
		"a redis without host":          {change{"redis.addresses", []string{":6379"}}, `redis.addresses[0]: must be host:port, got ":6379"`},
		"a redis with a password":       {change{"redis.addresses", []string{"redis://u:hunter2@h:1"}}, `redis.addresses[0]: must be host:port alone; user and password go into login`},
		"a redis on port 0":             {change{"redis.addresses", []string{"cache:0"}}, `redis.addresses[0]: must be host:port, got "cache:0"`},
		"a redis on no port":            {change{"redis.addresses", []string{"cache:http"}}, `redis.addresses[0]: must end with a port from 0 to 65535, got "cache:http"`},
		"two redis without a cluster":   {change{"redis.addresses", []string{"a:1", "b:1"}}, "redis.cluster: must be true for more than one address, got 2 addresses"},
		"a database beyond the last":    {change{"redis.database", 16}, "redis.database: must be at most 15, got 16"},
		"a call without time":           {change{"redis.call_timeout", "1ms"}, "redis.call_timeout: must be at least 50ms, got 1ms"},
		"a redis user without password": {change{"redis.login.password_file", nil}, "redis.login.password_file: is missing; a user is nobody without it; name the file with the password"},
		"two passwords":                 {change{"redis.login.password", "1234567890"}, "redis.login.password: cannot be set along with password_file; choose one"},
		"authorities without TLS":       {change{"redis.tls.ca_file", "ca.pem"}, "redis.tls.enabled: must be true for the other keys of the section to count"},
		"a certificate without its key": {change{"rabbitmq.tls", map[string]any{"enabled": true, "cert_file": "c.pem"}}, "rabbitmq.tls.cert_file: is of no use without key_file"},
		"a key without its certificate": {change{"shards.0.tls", map[string]any{"enabled": true, "key_file": "k.pem"}}, "shards[0].tls.cert_file: is of no use without key_file"},
		"no rabbitmq":                   {change{"rabbitmq.addresses", nil}, "rabbitmq.addresses: is missing; name at least one host:port"},
		"a broker with a scheme":        {change{"rabbitmq.addresses", []string{"amqp://mq:5672"}}, `rabbitmq.addresses[0]: must be host:port, got "amqp://mq:5672"`},
		"no virtual host":               {change{"rabbitmq.vhost", ""}, "rabbitmq.vhost: is missing; name the virtual host; the one that every broker has is /"},
		"no broker's user":              {change{"rabbitmq.login.username", nil}, "rabbitmq.login.username: is missing; name the broker's user"},
		"no broker's password":          {change{"rabbitmq.login.password_file", nil}, "rabbitmq.login.password_file: is missing; name the file with the user's password"},
		"a prefix that is a sentence":   {change{"rabbitmq.prefix", "two shops"}, "rabbitmq.prefix: must be 1-64 letters, digits, dots, dashes or underscores, got \"two shops\""},
		"no lanes":                      {change{"rabbitmq.lanes", 0}, "rabbitmq.lanes: must be at least 1, got 0"},
		"no prefetch":                   {change{"rabbitmq.prefetch", 0}, "rabbitmq.prefetch: must be at least 1, got 0"},
		"no shards":                     {change{"shards", nil}, "shards: is missing; name at least one MySQL database"},
		"a shard nowhere":               {change{"shards.1.address", nil}, "shards[1].address: is missing; write host:port"},
		"a shard on a socket":           {change{"shards.1.address", "/run/mysqld.sock"}, `shards[1].address: must be host:port, got "/run/mysqld.sock"`},
		"a shard without database":      {change{"shards.0.database", nil}, "shards[0].database: is missing; name the database on that server"},
		"a database with settings":      {change{"shards.0.database", "a?multiStatements=true"}, `shards[0].database: must be 1-64 letters, digits or _ $ -, got "a?multiStatements=true"`},
		"a shard without user":          {change{"shards.0.login.username", nil}, "shards[0].login.username: is missing; name the database's user"},
		"a user with a password in it":  {change{"shards.0.login.username", "a:b"}, `shards[0].login.username: cannot have a colon, got "a:b"`},
		"a replica without port":        {change{"shards.0.replicas", []string{"db"}}, `shards[0].replicas[0]: must be host:port, got "db"`},
		"too many connections":          {change{"shards.0.connections", 10_001}, "shards[0].connections: must be at most 10000, got 10001"},
		"one database for two shards":   {change{"shards.1.database", "seckill_0"}, "shards[1].database: is shards[0] again, seckill_0 at 127.0.0.1:3306; each shard is a database of its own"},
	}
}

// unsafeServers are what development takes, with a warning.
func unsafeServers() map[string]wrongServer {
	shard := map[string]any{"address": "127.0.0.1:3306", "database": "seckill_0", "login": map[string]any{"username": "u"}}
	return map[string]wrongServer{
		"a shard without password":       {change{"shards", []any{shard}}, "shards[0].login.password_file: is missing, so anybody who reaches the server may change it"},
		"a broker's user that all know":  {change{"rabbitmq.login.username", "guest"}, "rabbitmq.login.username: is guest, whom every broker knows"},
		"a redis without password":       {change{"redis.login", nil}, "redis.login.password_file: is missing, so anybody who reaches the server may change it"},
		"a placeholder for a password":   {change{"rabbitmq.login", map[string]any{"username": "u", "password": "change-me-please"}}, "rabbitmq.login.password: looks like a placeholder"},
		"redis in the clear":             {change{"redis.addresses", []string{"cache:6379"}}, "redis.tls.enabled: is false, so whatever goes to cache:6379 can be read on the way; set it to true (refused by profile: production)"},
		"rabbitmq in the clear":          {change{"rabbitmq.addresses", []string{"127.0.0.1:1", "mq:5672"}}, "rabbitmq.tls.enabled: is false, so whatever goes to mq:5672 can be read on the way"},
		"a shard in the clear":           {change{"shards.1.address", "db:3306"}, "shards[1].tls.enabled: is false, so whatever goes to db:3306 can be read on the way"},
		"a replica in the clear":         {change{"shards.0.replicas", []string{"db:3306"}}, "shards[0].tls.enabled: is false, so whatever goes to db:3306 can be read on the way"},
		"shoppers' tokens of nobody":     {change{"tokens", nil}, "tokens.keys: is empty, so a key is generated in the data folder; set at least one, or tokens.jwks_file"},
		"operators' keys made by itself": {change{"operators", nil}, "operators: is empty, so a key is generated in the data folder; name at least one"},
	}
}

// TestEntrances: a file that is wrong stops the start with one sentence before any server is called; none is there.
func TestEntrances(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	good := writeFile(t, folder, "good", goodSecret+"\n", 0o600)
	away := []change{
		{"redis.addresses", []string{"127.0.0.1:1"}},
		{"redis.login.password_file", good},
		{"rabbitmq.addresses", []string{"127.0.0.1:1"}},
		{"rabbitmq.login.password_file", good},
		{"shards.0.address", "127.0.0.1:1"},
		{"shards.0.login.password_file", good},
		{"shards.1.address", "127.0.0.1:1"},
		{"shards.1.login.password_file", good},
	}
	t.Run("are read before any server is called", func(t *testing.T) {
		t.Parallel()
		config := mustLoad(t, changed(t, away...))
		_, err := app.Open(t.Context(), config, app.OnlyWorker(), slog.New(slog.DiscardHandler))
		if err == nil || !strings.HasPrefix(err.Error(), "shards: ") || !strings.Contains(err.Error(), "127.0.0.1:1") {
			t.Errorf("got %v", err)
		}
	})
	for name, c := range wrongFiles(t, folder) {
		t.Run("refuses "+name, func(t *testing.T) {
			t.Parallel()
			config := mustLoad(t, changed(t, append(append([]change{}, away...), c.change)...))
			_, err := app.Open(t.Context(), config, app.OnlyWorker(), slog.New(slog.DiscardHandler))
			wantSentence(t, err, c.want)
			if strings.Contains(fmt.Sprint(err), "change-me") {
				t.Errorf("the secret is in the error: %v", err)
			}
		})
	}
}

func wrongFiles(t *testing.T, folder string) map[string]wrongServer {
	t.Helper()
	ca := testenv.NewAuthority(t, folder)
	certificate, key := ca.Issue(t, "client")
	_, otherKey := ca.Issue(t, "other")
	file := func(name, content string, mode os.FileMode) string { return writeFile(t, folder, name, content, mode) }
	encrypted := func(fields ...string) map[string]any {
		section := map[string]any{"enabled": true}
		for i := 0; i < len(fields); i += 2 {
			section[fields[i]] = fields[i+1]
		}
		return section
	}
	return map[string]wrongServer{
		"no file":                  {change{"redis.login.password_file", folder + "/none"}, "redis.login.password_file: cannot be read: open " + folder + "/none: no such file"},
		"a folder":                 {change{"redis.login.password_file", folder}, "redis.login.password_file: cannot be read: read " + folder},
		"two lines":                {change{"rabbitmq.login.password_file", file("two", "a\nb\n", 0o600)}, "rabbitmq.login.password_file: cannot be read: " + folder + "/two must hold one line"},
		"an empty file":            {change{"shards.1.login.password_file", file("empty", "\n", 0o600)}, "shards[1].login.password_file: must have at least 1 characters, got 0"},
		"a file for everybody":     {change{"shards.1.login.password_file", file("open", goodSecret, 0o644)}, "shards[1].login.password_file: " + folder + "/open is open to everybody on this machine, its mode is 0644; run chmod 600 on it (refused by profile: production)"},
		"a file to be replaced":    {change{"redis.login.password_file", file("loose", goodSecret, 0o602)}, "redis.login.password_file: " + folder + "/loose is open to everybody"},
		"a placeholder":            {change{"redis.login.password_file", file("holder", "change-me-please", 0o600)}, "redis.login.password_file: holds what looks like a placeholder (refused by profile: production)"},
		"no authorities":           {change{"redis.tls", encrypted("ca_file", folder+"/none")}, "redis.tls.ca_file: cannot be read: open " + folder + "/none"},
		"authorities that are not": {change{"rabbitmq.tls", encrypted("ca_file", file("none.pem", "nothing", 0o600))}, "rabbitmq.tls.ca_file: " + folder + "/none.pem holds no certificate (PEM)"},
		"the key of another":       {change{"redis.tls", encrypted("cert_file", certificate, "key_file", otherKey)}, "redis.tls.cert_file: cannot be used with key_file: tls: private key does not match public key"},
		"no key":                   {change{"shards.0.tls", encrypted("cert_file", certificate, "key_file", folder+"/none")}, "shards[0].tls.key_file: cannot be read: stat " + folder + "/none"},
		"a key for everybody":      {change{"redis.tls", encrypted("cert_file", certificate, "key_file", file("open.key", readFile(t, key), 0o604))}, "is open to everybody on this machine, its mode is 0604"},
	}
}

func writeFile(t *testing.T, folder, name, content string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(folder, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil { // whatever the umask is
		t.Fatal(err)
	}
	return path
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
