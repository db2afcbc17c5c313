package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/seckill-dev/seckill/api"
	"github.com/seckill-dev/seckill/internal/app"
)

// operatorCommands is each command of an operator, as he types it; SALE is a file.
const operatorCommands = `
audit
audit --sale 1
admin sales list
admin sales show 1
admin sales create SALE
admin sales edit 1 --name other
admin sales delete 1
admin sales preload 1
admin sales pause 1
admin sales resume 1
admin sales end 1
admin stats 1
admin stock 2 --add 5
admin reopen 2 --reason x
admin orders list --user ann
admin orders show 3
admin orders cancel 3 --reason x
admin orders refund 3 --reason x
admin letters list
admin letters show 4
admin letters replay 4
admin letters discard 4 --reason x
admin events list
admin events replay 5 shop
admin events discard 5 shop --reason x
admin events replay --endpoint shop
admin events discard --all --waiting --reason x
admin log
`

// TestOperatorCommands goes through the contract: what is added there needs a command.
func TestOperatorCommands(t *testing.T) {
	t.Parallel()
	asked := newAsked(t)
	server := httptest.NewServer(asked)
	t.Cleanup(server.Close)
	data := t.TempDir()
	for name, content := range map[string]string{
		"keys/operator.key": strings.Repeat("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 2),
		"keys/token.key":    strings.Repeat("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 2),
		"sale.yaml":         "{name: drop, starts_at: +1h, ends_at: +2h, pay_within_seconds: 60, items: []}",
	} {
		path := filepath.Join(data, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for line := range strings.Lines(strings.TrimSpace(operatorCommands)) {
		words := strings.Fields(strings.Replace(line, "SALE", filepath.Join(data, "sale.yaml"), 1))
		before := asked.count()
		var said bytes.Buffer
		// The answers are empty, so some commands find fault with them; here it counts that they ask.
		run(append([]string{"--data", data, words[0], "--url", server.URL}, words[1:]...), console{&said, &said, app.NewLogBuffer(&said)})
		if asked.count() == before {
			t.Errorf("%s asks nothing: %s", strings.TrimSpace(line), said.String())
		}
	}
	for name, times := range asked.times {
		if times == 0 {
			t.Errorf("no command calls %s", name)
		}
	}
}

// asked is an operators' API that answers nothing much, and counts which operation of the contract is called.
type asked struct {
	paths map[string]*regexp.Regexp

	mu    sync.Mutex
	all   int
	times map[string]int
}

func newAsked(t *testing.T) *asked {
	t.Helper()
	document, err := openapi3.NewLoader().LoadFromData(api.Document())
	if err != nil {
		t.Fatal(err)
	}
	a := &asked{paths: make(map[string]*regexp.Regexp), times: make(map[string]int)}
	parameter := regexp.MustCompile(`\{\w+\}`)
	for path, item := range document.Paths.Map() {
		if !strings.HasPrefix(path, "/admin/") {
			continue
		}
		for method := range item.Operations() {
			name := method + " " + path
			a.paths[name] = regexp.MustCompile("^" + method + " " + parameter.ReplaceAllString(path, "[^/]+") + "$")
			a.times[name] = 0
		}
	}
	return a
}

func (a *asked) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for name, path := range a.paths {
		if path.MatchString(r.Method + " " + r.URL.Path) {
			a.all++
			a.times[name]++
		}
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write([]byte("{}"))
}

func (a *asked) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.all
}
